import fc from 'fast-check'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { addDays, dateIn } from '../src/core/dates.ts'
import { type Json, startService } from './support/harness.ts'
import { type Alliance, agreed, alliance, commitment, deliver, entryPath, pathOf } from './support/promises.ts'
import { monthly, planOf, reverse, scheduled } from './support/schedules.ts'
import { pauseOf, stepOf } from './support/world.ts'

const clock = fixedClock('2026-01-05T12:00:00Z')
const service = await startService(t, { clock })
const today = () => dateIn('Europe/Amsterdam', clock.now())

/** Something that may happen on a day; `pick` chooses which record it happens to. */
type Happening = readonly [kind: string, pick: number, days: number]

const happening: fc.Arbitrary<Happening> = fc.tuple(
  fc.constantFrom(
    'gift',
    'evenings',
    'deliver',
    'deliver',
    'reverse',
    'pause',
    'resume',
    'lapse',
    'reinstate',
    'release',
    'amend',
    'amend',
    'substitute',
  ),
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: 0, max: 40 }),
)

interface World {
  seats: Alliance
  commitments: Json[]
  entries: Json[]
}

const oneOf = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(list.length, 1)]
const effects = ['skip', 'shift', 'accrue'] as const

/** Lets it happen, where the state allows it. */
async function happen({ seats, commitments, entries }: World, [kind, pick]: Happening): Promise<void> {
  const partnership = `/v1/partnerships/${seats.partnership.id}`
  const promised = oneOf(commitments, pick)
  const step = (path: string, verb: string, body: object) => service.step(path, verb, body)
  if (kind === 'gift')
    commitments.push(await scheduled(service, seats, monthly({ starts_on: today(), count: 1 + (pick % 8) })))
  if (kind === 'evenings') commitments.push(await evenings(seats, pick))
  if (kind === 'deliver' && promised) {
    const report = await service.call('POST', `${pathOf(promised)}/fulfilments`, {
      delivered_on: addDays(today(), -(pick % 9)),
      measure:
        promised.measure.type === 'money'
          ? { ...promised.measure, amount: `${pick}.00` }
          : { ...promised.measure, quantity: '1' },
      ...(pick % 3 === 0 ? { instalment_seq: 1 + (pick % 5) } : {}),
    })
    const decider = promised.from_party_id === seats.company ? seats.charity : seats.company
    if (report.status === 201) {
      await step(entryPath(report.body), 'confirm', { party_id: decider })
      entries.push(report.body)
    }
  }
  const entry = oneOf(entries, pick)
  if (kind === 'reverse' && entry)
    await step(entryPath(entry), 'reverse', { party_id: seats.charity, reason: 'A mistake' })
  const pause = pauseOf(seats.partnership, {
    schedule_effect: effects[pick % 3],
    planned_resume_on: addDays(today(), 1 + (pick % 50)),
  })
  // Of the partnership, or of one commitment.
  const paused = pick % 2 === 0 || !promised ? partnership : pathOf(promised)
  if (kind === 'pause') await step(paused, 'pause', pause)
  if (kind === 'resume') await step(paused, 'resume', {})
  if (['lapse', 'reinstate', 'release'].includes(kind) && promised) {
    const decider = kind !== 'release' || promised.from_party_id === seats.charity ? seats.company : seats.charity
    await step(pathOf(promised), kind, { party_id: decider, reason: 'A pandemic' })
  }
  if (kind === 'amend' && promised) await amend(seats, promised, pick)
  if (kind === 'substitute' && promised) commitments.push(...(await substitute(seats, promised, pick)))
}

/** A part of what the commitment is measured in. */
const partOf = ({ measure }: Json, pick: number): Json =>
  measure.type === 'money' ? { ...measure, amount: `${1 + pick}.00` } : { ...measure, quantity: String(1 + (pick % 6)) }

/** Other terms, where they can be: another measure, another schedule, or no return. */
async function amend(seats: Alliance, commitment: Json, pick: number): Promise<void> {
  const terms = [
    { measure: partOf(commitment, pick) },
    { schedule: monthly({ starts_on: commitment.agreed_on, count: 1 + (pick % 9) }) },
    { reciprocity: pick % 2 === 0 ? 'unconditional' : 'in_return', in_return_for: [] },
  ]
  const proposed = await service.call('POST', `/v1/partnerships/${seats.partnership.id}/amendments`, {
    cause: 'evaluation',
    proposed_by_party_id: seats.company,
    changes: { commitments: [{ commitment_id: commitment.id, terms: terms[pick % 3] }] },
  })
  if (proposed.status === 201) {
    await service.step(`/v1/amendments/${proposed.body.id}`, 'accept', { party_id: seats.charity })
  }
}

/** Another promise in the place of a part of it. @returns what takes the place, if it does */
async function substitute(seats: Alliance, old: Json, pick: number): Promise<Json[]> {
  const { from_party_id, to_party_id } = old
  const by = await commitment(service, seats, { from_party_id, to_party_id })
  const proposed = await service.call('POST', '/v1/substitutions', {
    replaces_commitment_id: old.id,
    replaced_measure: partOf(old, pick),
    by_commitment_id: by.id,
    reason: 'A pandemic',
    proposed_by_party_id: seats.company,
  })
  if (proposed.status !== 201) return []
  const accepted = await service.step(`/v1/substitutions/${proposed.body.id}`, 'accept', { party_id: seats.charity })
  return accepted.status === 200 ? [by] : []
}

const evenings = (seats: Alliance, pick: number): Promise<Json> =>
  agreed(service, seats, {
    from_party_id: seats.charity,
    to_party_id: seats.company,
    kind: 'access',
    title: 'Evenings',
    measure: { type: 'quantity', quantity: '4', unit: 'event' },
    ...(pick % 2 === 0 ? { schedule: monthly({ starts_on: today() }) } : {}),
    valuations: [
      { money: { amount: '400.00', currency: 'EUR' }, basis: 'fair_value', declared_by: 'giver', valued_on: today() },
    ],
  })

async function measuresOf({ seats }: World, query = ''): Promise<string> {
  const path = `/v1/partnerships/${seats.partnership.id}`
  const [fulfilment, reciprocity] = await Promise.all([
    service.get(`${path}/fulfilment${query}`),
    service.get(`${path}/reciprocity${query}`),
  ])
  return `${fulfilment.text}\n${reciprocity.text}`
}

/** A new plan made during a pause: the one before it was held up until then. */
const amendedWhilePaused: Happening[] = [
  ['pause', 0, 0],
  ['amend', 0, 26],
  ['resume', 313, 1],
  ['amend', 144, 0],
]

/** Two deliveries kept an instalment from two pauses: each that is taken back lets one of them have it. */
const reversedTwice: Happening[] = [
  ['deliver', 666, 1],
  ['pause', 1, 0],
  ['deliver', 225, 35],
  ['resume', 1, 10],
  ['reverse', 0, 5],
  ['pause', 3, 13],
  ['resume', 3, 5],
  ['reverse', 1, 9],
]

/** What is due in a pause that lasts longer than was expected is skipped on that day, not when it ends. */
const skippedBeyondExpectation: Happening[] = [
  ['pause', 3, 27],
  // Nothing is there to be reversed: a day on which it was told, and no more.
  ['reverse', 0, 1],
  ['resume', 3, 0],
]

t.test('an answer about a past day is the answer that was given on that day', async (t) => {
  let days = 0
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 8, maxLength: 24 }), async (happenings) => {
      clock.set('2026-01-05T12:00:00Z')
      const world: World = { seats: await alliance(service), commitments: [], entries: [] }
      await happen(world, ['gift', 5, 0])
      const told = new Map<string, string>()
      for (const one of happenings) {
        await happen(world, one)
        // What else happens on a day replaces what was told of it before.
        told.set(today(), await measuresOf(world))
        clock.advance(one[2] * 86_400_000)
        told.set(today(), await measuresOf(world))
      }
      for (const [day, answer] of told) {
        const now = await measuresOf(world, `?as_of=${day}`)
        if (now !== answer) throw new Error(`On ${day} it was\n${answer}\nand now it is\n${now}`)
      }
      days += told.size
    }),
    { numRuns: 7, examples: [[amendedWhilePaused], [reversedTwice], [skippedBeyondExpectation]] },
  )
  t.ok(days > 20, `of ${days} days`)
})

t.test('the ledger gives the same figures in any order, and a reversal restores them exactly', async (t) => {
  const seats = await alliance(service)
  const delivery = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.option(fc.integer({ min: 1, max: 4 })))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(delivery, { minLength: 2, maxLength: 4 }), fc.nat(), async (deliveries, seed) => {
      clock.set('2026-03-01T12:00:00Z')
      const figures = async (order: readonly (typeof deliveries)[number][], isUndone: boolean) => {
        const gift = await scheduled(service, seats, monthly(), {
          measure: { type: 'money', amount: '2000.00', currency: 'EUR' },
        })
        const entries: Json[] = []
        for (const [amount, seq] of order)
          entries.push(await deliver(service, gift, `${amount}.00`, { instalment_seq: seq }))
        const confirm = (entry: Json) => stepOf(service, entryPath(entry), 'confirm', { party_id: seats.charity })
        for (const entry of entries) await confirm(entry)
        if (isUndone) {
          const extra = await deliver(service, gift, '333.00', { instalment_seq: 1 + (seed % 4) })
          await confirm(extra)
          await reverse(service, extra, seats.company)
        }
        const { commitment_id: _id, ...told } = (await service.get(`${pathOf(gift)}/fulfilment`)).body
        return JSON.stringify([await planOf(service, gift), told])
      }
      const forth = await figures(deliveries, false)
      const other = await figures(
        deliveries.toSorted(([a], [b]) => ((a * seed) % 7) - ((b * seed) % 7)).toReversed(),
        true,
      )
      if (forth !== other) throw new Error(`${forth}\nis not\n${other}`)
    }),
    { numRuns: 5 },
  )
  t.pass('for any deliveries')
})
