import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  date,
  line,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'

export const objectiveLevels = ['impact', 'outcome', 'output'] as const

const goal = () => Type.Integer({ minimum: 1, maximum: 17 })
const importance = () =>
  Type.Integer({ minimum: 1, maximum: 5, description: 'How much it weighs among the objectives of the organisation' })

export const Objective = Type.Object(
  {
    ...recordHead,
    organisation_id: uuid({ description: 'Whose objective it is' }),
    level: codes(objectiveLevels),
    title: Type.String(),
    description: nullable(Type.String()),
    parent_id: nullable(uuid({ description: 'The objective that this one serves' })),
    sdg_goals: Type.Array(goal(), { description: 'Sustainable Development Goals, by number' }),
    sdg_targets: Type.Array(Type.String(), { description: 'Their targets, such as 1.a' }),
    importance: importance(),
    active_from: date(),
    active_until: nullable(date({ description: 'The last day on which it counts; null while it has no end' })),
    indicator_refs: Type.Array(Type.String(), { description: 'Addresses of the indicators that measure it' }),
    ...recordTail,
  },
  { $id: 'Objective', description: 'What an organisation wants to reach, and how much that matters to it' },
)
export type Objective = Static<typeof Objective>

/** What a client may write; what is left out takes its default, or becomes null. */
export const ObjectiveWrite = strictObject(
  {
    organisation_id: Type.Optional(nullable(uuid())),
    organisation_ref: Type.Optional(nullable(ref(Ref))),
    level: codes(objectiveLevels, { examples: ['outcome'] }),
    title: line(300, { examples: ['Meer kinderen leren zwemmen'] }),
    description: Type.Optional(nullable(prose())),
    parent_id: Type.Optional(
      nullable(
        uuid({ description: 'An objective of the same organisation: of an output an outcome, of that an impact' }),
      ),
    ),
    parent_ref: Type.Optional(nullable(ref(Ref))),
    sdg_goals: Type.Optional(Type.Array(goal(), { maxItems: 17, uniqueItems: true, default: [] })),
    sdg_targets: Type.Optional(
      Type.Array(Type.String({ pattern: '^\\d{1,2}\\.(\\d{1,2}|[a-d])$', examples: ['4.1'] }), {
        maxItems: 169,
        uniqueItems: true,
        default: [],
      }),
    ),
    importance: Type.Integer({ minimum: 1, maximum: 5, examples: [4] }),
    active_from: date(),
    active_until: Type.Optional(nullable(date())),
    indicator_refs: Type.Optional(
      Type.Array(Type.String({ format: 'uri', maxLength: 2000 }), { maxItems: 50, uniqueItems: true, default: [] }),
    ),
    ...recordTailWrite,
  },
  {
    $id: 'ObjectiveWrite',
    examples: [
      {
        organisation_ref: { system: 'crm', id: '0015g00000D3e4F' },
        level: 'outcome',
        title: 'Meer kinderen leren zwemmen',
        importance: 4,
        active_from: '2026-01-01',
      },
    ],
  },
)
export type ObjectiveWrite = Static<typeof ObjectiveWrite>

export const ObjectivePatch = patchOf(ObjectiveWrite, 'ObjectivePatch')

/** The writable members of an objective, complete and in their one spelling. */
export type ObjectiveState = Omit<Objective, keyof typeof recordHead>

export const objectiveSchemas = [Objective, ObjectiveWrite, ObjectivePatch]
