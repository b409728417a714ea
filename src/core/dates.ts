/** Calendar dates are `YYYY-MM-DD` strings from end to end, so that no time zone can shift them. */

/** The length of a month, months counted from 1. */
export const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** True for a real calendar date in ISO 8601 form; `2026-02-29` is none. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

const minuteOf = (instant: string): number => Date.parse(instant) / 60_000
const firstMinute = minuteOf('0001-01-01T00:00Z')
const endMinute = minuteOf('+010000-01-01T00:00Z')

/**
 * True for an instant of RFC 3339 that is in the years 1 to 9999 wherever it is read: in its own offset, and in UTC after
 * it was rounded to microseconds, as it is stored. Postgres takes no offset of sixteen hours or more.
 */
export function isInstant(text: string): boolean {
  const match = /^(.{10})[t\s](\d\d:\d\d):(\d\d(?:\.\d+)?)(?:z|([+-])(\d\d):?(\d\d)?)$/i.exec(text)
  if (!match) return false
  const [date = '', time = '', seconds, sign, hours = '0', minutes = '0'] = match.slice(1)
  const minute = minuteOf(`${date}T${time}Z`)
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  if (!isDate(date) || Number.isNaN(minute) || time > '23:59' || Number(hours) > 15 || Number(minutes) > 59)
    return false
  const [at, micros] = [minute - offset, Math.round(Number(seconds) * 1e6)]
  // A leap second is the last of a day, in UTC.
  if (Number(seconds) >= 61 || (Number(seconds) >= 60 && (at + 1) % 1440 !== 0)) return false
  return at >= firstMinute && at + Math.floor(micros / 60e6) < endMinute
}

/** One for each time zone, of which there are some hundreds: to make one takes 0.7 ms, to use it 0.02. */
const calendars = new Map<string, Intl.DateTimeFormat>()
/** Names count however they are written, in capitals or not. */
const calendarsMax = 600

/** @throws RangeError for no name of a time zone */
function calendarOf(timeZone: string): Intl.DateTimeFormat {
  const known = calendars.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  if (calendars.size >= calendarsMax) calendars.clear()
  calendars.set(timeZone, made)
  return made
}

/** The date that it is in a time zone (IANA) at an instant. */
export const dateIn = (timeZone: string, instant: string): string => calendarOf(timeZone).format(new Date(instant))

/**
 * The day of what is recorded now beside something whose first day has no time zone: one's own day or, where that is
 * earlier and the first day has begun somewhere on earth, the first day.
 */
export function dayBeside(ownDay: string, firstDay: string, now: string): string {
  return ownDay < firstDay && firstDay <= dateIn('Pacific/Kiritimati', now) ? firstDay : ownDay
}

/** Days later (or earlier, when negative). */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)
}

/** Months later; a day that the month does not have becomes the month's last, as in `2026-01-31` + 1 → `2026-02-28`. */
export function addMonths(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number)
  const index = year * 12 + (month - 1) + months
  const [toYear, toMonth] = [Math.floor(index / 12), (index % 12) + 1]
  return `${pad(toYear, 4)}-${pad(toMonth)}-${pad(Math.min(day, daysInMonth(toYear, toMonth)))}`
}

/** A calendar duration of ISO 8601, in months and days; undefined for what is none (or has a time part). */
export function parseDuration(text: string): { months: number; days: number } | undefined {
  const match = /^P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/.exec(text)
  if (!match) return undefined
  const [years, months, weeks, days] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return { months: years * 12 + months, days: weeks * 7 + days }
}

/** True where a duration is more than a year, counted from a year of 365 days. It must be in the form of `parseDuration`. */
export function isOverAYear(duration: string): boolean {
  const { months, days } = parseDuration(duration) ?? { months: 0, days: 0 }
  // The bounds keep what follows within the calendar.
  if (months > 12 || days > 366) return true
  return addDays(addMonths('2001-01-01', months), days) > '2002-01-01'
}

/**
 * True for a time zone name of the IANA database that this runtime knows: an area and a place, or UTC. Of the names
 * without an area Postgres reads many as something else, such as CET as a zone without summer time, and some not at all;
 * with an area it lacks one.
 */
export function isTimeZone(name: string): boolean {
  if (!/^([a-z]+\/.+|utc|gmt)$/i.test(name) || /^us\/pacific-new$/i.test(name)) return false
  try {
    calendarOf(name)
    return true
  } catch {
    return false
  }
}

/** The days from one date to another; negative where the second is the earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000)
}
