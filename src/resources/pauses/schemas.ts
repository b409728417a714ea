import { type Static, Type } from 'typebox'
import { codes, date, nullable, prose, Ref, recordHead, ref, strictObject, uuid } from '../../core/schemas.ts'

export const pauseReasons = ['solidarity', 'partner_request', 'disruption', 'capacity', 'safety', 'other'] as const
export const scheduleEffects = ['skip', 'shift', 'accrue'] as const

export const Pause = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    commitment_id: nullable(uuid({ description: 'The commitment that was paused; null for the whole partnership' })),
    starts_on: date(),
    planned_resume_on: nullable(date()),
    review_on: nullable(date()),
    resumed_on: nullable(date({ description: 'The first day after the pause; null while it lasts' })),
    reason: codes(pauseReasons),
    initiated_by_party_id: uuid(),
    on_behalf_of_party_id: nullable(uuid()),
    disruption_id: nullable(uuid({ description: 'The disruption that it answers' })),
    note: nullable(Type.String()),
    schedule_effect: codes(scheduleEffects),
  },
  { $id: 'Pause', description: 'A time in which a partnership, or one commitment of it, stands still' },
)
export type Pause = Static<typeof Pause>

/** The body of the step `pause`, of a partnership and of a commitment alike. */
export const PauseStart = strictObject(
  {
    starts_on: Type.Optional(date({ description: 'Today, in the time zone of the partnership, where left out' })),
    planned_resume_on: Type.Optional(
      nullable(date({ description: 'This, or review_on, is needed', examples: ['2026-06-01'] })),
    ),
    review_on: Type.Optional(
      nullable(date({ description: 'When it will be looked at again', examples: ['2026-05-01'] })),
    ),
    reason: codes(pauseReasons, { examples: ['solidarity'] }),
    initiated_by_party_id: uuid(),
    on_behalf_of_party_id: Type.Optional(nullable(uuid({ description: 'The party that the pause spares' }))),
    disruption_id: Type.Optional(nullable(uuid({ description: 'The disruption that it answers' }))),
    disruption_ref: Type.Optional(nullable(ref(Ref))),
    note: Type.Optional(nullable(prose(2000))),
    schedule_effect: Type.Optional(
      codes(scheduleEffects, {
        default: 'skip',
        description: 'What falls due meanwhile is skipped, shifted to later, or accrues until the pause ends',
      }),
    ),
  },
  { $id: 'PauseStart', description: 'Pauses of one scope never overlap.' },
)
export type PauseStart = Static<typeof PauseStart>

/** The body of the step `resume`. */
export const PauseEnd = strictObject(
  {
    resumed_on: Type.Optional(
      date({ description: 'Where left out: today, or the day the pause starts if that is still to come' }),
    ),
  },
  { $id: 'PauseEnd' },
)
export type PauseEnd = Static<typeof PauseEnd>

export const pauseSchemas = [Pause, PauseStart, PauseEnd]
