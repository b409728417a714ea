import { type Static, Type } from 'typebox'
import { codes, date, nullable, recordHead, ref, uuid } from '../../core/schemas.ts'
import { Measure } from '../commitments/schemas.ts'

export const instalmentStates = ['scheduled', 'skipped', 'settled', 'void'] as const

const measure = (description: string) => Type.Unsafe<Static<typeof Measure>>({ ...ref(Measure), description })

export const Instalment = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    commitment_id: uuid(),
    seq: Type.Integer({
      minimum: 1,
      description: 'Its number within the commitment. A new plan counts on: a number means one instalment for ever.',
    }),
    due_on: nullable(date({ description: 'Null where the commitment has no schedule: no day was promised' })),
    original_due_on: nullable(date({ description: 'Before a pause shifted it' })),
    measure: measure('Its part of the commitment. Those of one plan add up to the measure of the commitment exactly.'),
    replaced: measure('What accepted substitutions took of it'),
    settled: measure('What confirmed deliveries settled of it'),
    open: measure('What is still to be delivered on it: nothing where it is settled, skipped or void'),
    state: codes(instalmentStates, {
      description:
        'scheduled: to be delivered. skipped: it fell in a pause that skips, and is not due any more. settled: ' +
        'delivered in full. void: the commitment was closed before it was due, or a new plan or a substitution took its place.',
    }),
    is_suspended: Type.Boolean({
      description: 'A pause that has not ended holds it up: it is not due before that ends, whenever that will be',
    }),
    is_overdue: Type.Boolean({
      description: 'Scheduled, not suspended, and due before today, in the time zone of the partnership',
    }),
    superseded_on: nullable(date({ description: 'The day from which a new plan took its place' })),
  },
  { $id: 'Instalment', description: 'A part of a commitment: when it falls due, and what became of it' },
)
export type Instalment = Static<typeof Instalment>

export const instalmentSchemas = [Instalment]
