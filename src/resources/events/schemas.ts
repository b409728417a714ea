import { type Static, Type } from 'typebox'
import { codes, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import { eventTypeFilters } from '../../platform/event-types.ts'

export const Actor = Type.Object(
  {
    type: Type.String({
      description:
        '`api_key`, `token` for who signed in at an issuer (its id is issuer/subject), or `system` for what the service does by itself; `unknown` for a refused credential',
      examples: ['api_key'],
    }),
    id: nullable(Type.String()),
  },
  { $id: 'Actor', description: 'Who did it' },
)

/** What holds of `changed`, in events and in the audit: every service of the tests is looked through for it. */
export const changedMeans =
  'Names every member that differs from what the event before said of the record, but for `version` and `updated_at`; a ' +
  'member that is named may have stayed as it was. For a new record it names what was written, and the rest came by ' +
  'itself: take all of it. What one transaction did to a record in several steps is several events of one version, ' +
  'which all show the end, and their `changed` count together.'

/** What an event says; a webhook carries the same. */
export const eventMembers = {
  sequence: Type.Integer({ minimum: 1, description: 'Without a gap, in the order of commits, for each tenant' }),
  id: uuid(),
  type: Type.String({
    description: 'The kind of record and what happened: EventTypeFilter lists the types; more may come',
    examples: ['partnership.activated'],
  }),
  resource_type: Type.String({ examples: ['partnership'] }),
  resource_id: uuid(),
  version: Type.Integer({ description: 'The version of the record after the change' }),
  changed: Type.Array(Type.String(), { description: changedMeans }),
  actor: ref(Actor),
  request_id: nullable(Type.String()),
  occurred_at: instant(),
  data: nullable(
    Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description:
        'The record as it was after the change; of a contact only what tells nothing of the person: `id`, `version`, ' +
        '`created_at`, `updated_at`, `organisation_id`, `function`, `active`, `erased_at`. Null for a deletion, for ' +
        'partners of what was taken back, and where `needs_scope` is set',
    }),
  ),
  needs_scope: nullable(
    Type.String({ description: 'The scope that is needed to see `data`, where the reader does not have it' }),
  ),
}

export const eventExample = {
  sequence: 4711,
  id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b',
  type: 'objective.updated',
  resource_type: 'objective',
  resource_id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8c',
  version: 4,
  changed: ['importance'],
  actor: { type: 'api_key', id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8d' },
  request_id: '8e03978e-40d5-43e8-bc93-6894a57f9324',
  occurred_at: '2026-03-01T12:00:00.123456Z',
  data: {
    id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8c',
    version: 4,
    level: 'outcome',
    title: 'More children can swim',
    importance: 5,
  },
  needs_scope: null,
}

export const Event = Type.Object(eventMembers, {
  $id: 'Event',
  description: 'One change of one record',
  examples: [eventExample],
})
export type Event = Static<typeof Event>

export const EventPage = Type.Object(
  {
    data: Type.Array(ref(Event)),
    next_after: Type.Integer({
      examples: [4711],
      description: 'Go on from here: everything up to this sequence was looked at',
    }),
    latest: Type.Integer({ examples: [4715], description: 'The last sequence that there is' }),
  },
  { $id: 'EventPage', description: 'A stretch of the feed' },
)

export const EventTypeFilter = codes(eventTypeFilters, {
  $id: 'EventTypeFilter',
  examples: ['partnership.activated'],
  description: 'A type of event, or with `.*` all of one kind of record',
})

export const EventQuery = Type.Object(
  {
    after: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description: 'The last sequence that you have: `next_after` of the answer before, or `sequence` of an export',
    }),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
    wait: Type.Integer({
      minimum: 0,
      maximum: 60,
      default: 0,
      description: 'Seconds to wait for an event, where there is none yet',
    }),
    types: Type.Optional(
      Type.Array(ref(EventTypeFilter), {
        minItems: 1,
        maxItems: 50,
        description: 'Only these, such as partnership.* or evaluation.closed',
      }),
    ),
  },
  { additionalProperties: false },
)
export type EventQuery = Static<typeof EventQuery>
