import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import { codes, instant, line, nullable, recordHead, ref, strictObject, uuid } from '../../core/schemas.ts'
import { scopes } from '../../platform/scopes.ts'
import { EventTypeFilter, eventExample, eventMembers } from '../events/schemas.ts'

export const endpointStatuses = ['enabled', 'disabled'] as const
export const deliveryStatuses = ['pending', 'succeeded', 'failed', 'discarded'] as const

const fields = {
  ...recordHead,
  name: nullable(Type.String()),
  url: Type.String(),
  types: Type.Array(Type.String(), { description: 'The events that are sent; empty: all' }),
  data_scopes: Type.Array(codes(scopes), {
    description: 'What the endpoint is shown of records, as for a reader of the feed',
  }),
  status: codes(endpointStatuses),
  disabled_reason: nullable(
    codes(['requested', 'gone', 'failing'], {
      description: '`requested` by a client; `gone`: it answered 410; `failing`: nothing reached it for three days',
    }),
  ),
  disabled_at: nullable(instant()),
  previous_valid_until: nullable(
    instant({
      description:
        'Until when messages are signed with the secret before the last rotation, too; null where there is none',
    }),
  ),
}

export const WebhookEndpoint = Type.Object(fields, {
  $id: 'WebhookEndpoint',
  description:
    'A place that events are sent to, as Standard Webhooks has it. Its secret is shown when it is made, and never again.',
})
export type WebhookEndpoint = Static<typeof WebhookEndpoint>

export const WebhookEndpointWithSecret = Type.Object(
  {
    ...fields,
    secret: Type.String({
      description: 'Signs the messages: shown this once',
      examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    }),
  },
  { $id: 'WebhookEndpointWithSecret' },
)

export const WebhookEndpointWrite = strictObject(
  {
    name: Type.Optional(nullable(line(200, { examples: ['Our CRM'] }))),
    url: Type.String({
      minLength: 1,
      maxLength: 2000,
      description: 'An https:// address on the public internet. It is checked here and again at each connection.',
      examples: ['https://crm.example.org/hooks/beide'],
    }),
    types: Type.Optional(
      Type.Array(ref(EventTypeFilter), {
        maxItems: 100,
        uniqueItems: true,
        default: [],
        description: 'Which events; empty: all',
      }),
    ),
    data_scopes: Type.Optional(
      Type.Array(codes(scopes), {
        maxItems: scopes.length,
        uniqueItems: true,
        description: 'What it is shown of records: of your own scopes; without it all of them that let you read',
      }),
    ),
    status: Type.Optional(codes(endpointStatuses, { default: 'enabled' })),
  },
  { $id: 'WebhookEndpointWrite' },
)
export type WebhookEndpointWrite = Static<typeof WebhookEndpointWrite>
export const WebhookEndpointPatch = patchOf(WebhookEndpointWrite, 'WebhookEndpointPatch')

export const WebhookAttempt = Type.Object(
  {
    number: Type.Integer(),
    attempted_at: instant(),
    duration_ms: Type.Integer(),
    status_code: nullable(
      Type.Integer({ description: 'What the endpoint answered; null where there was no whole answer' }),
    ),
    error: nullable(Type.String({ description: 'Why the attempt failed' })),
  },
  { $id: 'WebhookAttempt' },
)

export const WebhookDelivery = Type.Object(
  {
    id: uuid(),
    endpoint_id: uuid(),
    event_id: uuid({ description: 'The webhook-id of the message: the same for every attempt' }),
    sequence: nullable(Type.Integer({ description: 'The place of the event in the feed; null for a test' })),
    type: Type.String(),
    status: codes(deliveryStatuses, {
      description:
        '`failed`: it was tried for three days, or answered by 410; `discarded`: the endpoint was disabled before it came through',
    }),
    next_attempt_at: nullable(instant()),
    attempts: Type.Array(Type.Unsafe<Static<typeof WebhookAttempt>>({ $ref: 'WebhookAttempt#' }), {
      description: 'The last 20',
    }),
    created_at: instant(),
    finished_at: nullable(instant()),
  },
  { $id: 'WebhookDelivery', description: 'What was sent to an endpoint, or is to be, and what became of it' },
)
export type WebhookDelivery = Static<typeof WebhookDelivery>

/** What is sent to an endpoint. */
export const WebhookMessage = Type.Object(
  {
    ...eventMembers,
    sequence: nullable(
      Type.Integer({ minimum: 1, description: 'The place of the event in the feed; null for a test' }),
    ),
    timestamp: instant({ description: 'When it happened, as Standard Webhooks names it' }),
  },
  {
    $id: 'WebhookMessage',
    description: 'One change of one record, or a test: `webhook_endpoint.test`',
    examples: [{ ...eventExample, timestamp: eventExample.occurred_at }],
  },
)

export const RotateSecret = strictObject(
  {
    previous_valid_until: Type.Optional(
      nullable(
        instant({
          description:
            'Until when messages are signed with the old secret, too, 7 days from now at most; left out: for 24 hours; ' +
            'null: no longer',
          examples: [null],
        }),
      ),
    ),
  },
  { $id: 'RotateSecret', description: 'A new secret for an endpoint, and how long the old one still signs' },
)
export type RotateSecret = Static<typeof RotateSecret>

export const ReplayFrom = strictObject(
  { after: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Events after this sequence' }) },
  { $id: 'ReplayFrom' },
)

export const Replay = Type.Object(
  { after: Type.Integer(), until: Type.Integer({ description: 'The last sequence that is sent again' }) },
  { $id: 'Replay', description: 'The events that are sent again, where the endpoint takes their type' },
)

export const webhookSchemas = [
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookEndpointWrite,
  WebhookEndpointPatch,
  WebhookAttempt,
  WebhookDelivery,
  WebhookMessage,
  RotateSecret,
  ReplayFrom,
  Replay,
]
