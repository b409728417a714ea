import { type Static, Type } from 'typebox'
import { date, line, nullable, prose, strictObject } from '../core/schemas.ts'

/** History from another system: a record that begins here in a state which it reached elsewhere. */
export const TakenOverWrite = strictObject(
  {
    on: date({ description: 'The day of the take-over' }),
    from_system: line(80, { description: 'Where the record began' }),
    note: Type.Optional(nullable(prose(2000))),
  },
  {
    $id: 'TakenOverWrite',
    description:
      'Marks a record that began in another system: it may be created in any state. Needs history:take_over.',
  },
)
export type TakenOverWrite = Static<typeof TakenOverWrite>

export const TakenOver = Type.Object(
  {
    on: date(),
    from_system: Type.String(),
    note: nullable(Type.String()),
    status: Type.String({ description: 'The state in which it was taken over' }),
    waived_conditions: Type.Array(Type.String(), {
      description: 'The conditions of the transitions that it skipped: they were not checked here',
    }),
  },
  { $id: 'TakenOver', description: 'Where a record came from that began in another system; kept for ever' },
)
export type TakenOver = Static<typeof TakenOver>

/**
 * How a record was taken over, as a write by the client's own id repeats it or leaves it out. A later edition of the same
 * source tells of a later day: the day of the first stays.
 */
export function repeatedTakeOver(
  told: TakenOverWrite | null | undefined,
  kept: TakenOverWrite | null | undefined,
): TakenOverWrite | null | undefined {
  if (!kept) return told
  const isLater = told && told.on > kept.on && told.from_system === kept.from_system
  const isSame = isLater && (told.note ?? null) === (kept.note ?? null)
  return told && !isSame ? told : { on: kept.on, from_system: kept.from_system, note: kept.note ?? null }
}

export const takenOverSchemas = [TakenOverWrite, TakenOver]
