import type { Faults } from '../../core/problem.ts'
import type { PauseStart } from './schemas.ts'

/** What is paused: a partnership, or one commitment of it. */
export interface PauseScope {
  partnershipId: string
  commitmentId: string | null
}

/** The days of a pause: from `starts_on` up to, and without, `resumed_on`; still open where that is null. */
export interface Interval {
  starts_on: string
  resumed_on: string | null
}

/** The first of these pauses that a new one, open from `startsOn`, would overlap. One that ended on the day it began overlaps nothing. */
export const overlapped = <T extends Interval>(pauses: readonly T[], startsOn: string): T | undefined =>
  pauses.find(({ starts_on, resumed_on }) => resumed_on === null || (resumed_on > startsOn && resumed_on > starts_on))

/** What a pause must keep to that begins on `startsOn`, among the earlier ones of its scope. */
export function checkPause(
  start: PauseStart,
  startsOn: string,
  partyIds: readonly string[],
  earlier: readonly Interval[],
  faults: Faults,
): void {
  const { planned_resume_on = null, review_on = null } = start
  if (planned_resume_on === null && review_on === null) {
    const detail = 'Say in planned_resume_on when it is to resume, or in review_on when that will be looked at again.'
    faults.add('/planned_resume_on', 'planned_resume_on', detail)
  }
  if (planned_resume_on !== null && planned_resume_on <= startsOn) {
    const detail = `planned_resume_on (${planned_resume_on}) is a day after the pause starts (${startsOn}).`
    faults.add('/planned_resume_on', 'before_start', detail)
  }
  if (review_on !== null && review_on < startsOn) {
    faults.add('/review_on', 'before_start', `review_on (${review_on}) lies before the pause starts (${startsOn}).`)
  }
  for (const name of ['initiated_by_party_id', 'on_behalf_of_party_id'] as const) {
    const id = start[name]
    if (id == null || partyIds.includes(id.toLowerCase())) continue
    faults.add(`/${name}`, 'unknown_reference', `The partnership has no party ${id}.`)
  }
  const other = overlapped(earlier, startsOn)
  if (!other) return
  const until = other.resumed_on === null ? 'and has not ended' : `to ${other.resumed_on}`
  faults.add('/starts_on', 'overlap', `It would overlap the pause from ${other.starts_on} ${until}.`)
}

/** The day a pause ends: the one given, or today, yet never before the pause starts. */
export function resumptionOf(startsOn: string, given: string | undefined, today: string, faults: Faults): string {
  if (given === undefined) return today < startsOn ? startsOn : today
  if (given < startsOn) {
    faults.add('/resumed_on', 'before_start', `resumed_on (${given}) lies before the pause starts (${startsOn}).`)
  }
  return given
}
