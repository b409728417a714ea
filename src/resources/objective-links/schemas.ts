import { type Static, Type } from 'typebox'
import { date, Metadata, nullable, prose, Ref, recordHead, ref, strictObject, uuid } from '../../core/schemas.ts'

const contribution = () =>
  Type.Integer({
    minimum: 0,
    maximum: 3,
    description: 'How much the partnership contributes: 0 none, 1 indirect, 2 supporting, 3 essential',
    examples: [3],
  })

export const ObjectiveLink = Type.Object(
  {
    ...recordHead,
    partnership_id: uuid(),
    objective_id: uuid(),
    contribution: contribution(),
    rationale: nullable(Type.String()),
    assessed_on: date({ description: 'From this day on it counts' }),
    evaluation_id: nullable(uuid({ description: 'The evaluation in which it was assessed' })),
    superseded_on: nullable(date({ description: 'From this day on a later assessment counts' })),
    superseded_by_id: nullable(uuid({ description: 'That later assessment; null for the one that counts now' })),
    metadata: ref(Metadata),
  },
  {
    $id: 'ObjectiveLink',
    description: 'What a partnership contributes to an objective of one of its parties. Never edited: superseded.',
  },
)
export type ObjectiveLink = Static<typeof ObjectiveLink>

export const ObjectiveLinkCreate = strictObject(
  {
    partnership_id: Type.Optional(nullable(uuid())),
    partnership_ref: Type.Optional(nullable(ref(Ref))),
    objective_id: Type.Optional(nullable(uuid({ description: 'An objective of a party’s organisation' }))),
    objective_ref: Type.Optional(nullable(ref(Ref))),
    contribution: contribution(),
    rationale: Type.Optional(nullable(prose())),
    assessed_on: Type.Optional(
      nullable(date({ description: 'Today, in the time zone of the partnership, where left out' })),
    ),
    evaluation_id: Type.Optional(nullable(uuid({ description: 'An evaluation of the same partnership' }))),
    evaluation_ref: Type.Optional(nullable(ref(Ref))),
    metadata: Type.Optional(ref(Metadata)),
  },
  {
    $id: 'ObjectiveLinkCreate',
    examples: [
      {
        partnership_ref: { system: 'crm', id: 'a0B5g0000012345' },
        objective_ref: { system: 'crm', id: 'a0C5g0000054321' },
        contribution: 3,
        assessed_on: '2026-03-01',
      },
    ],
  },
)
export type ObjectiveLinkCreate = Static<typeof ObjectiveLinkCreate>

export const objectiveLinkSchemas = [ObjectiveLink, ObjectiveLinkCreate]
