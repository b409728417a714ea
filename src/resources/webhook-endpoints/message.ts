import { idOf } from '../../core/schemas.ts'
import { WebhookMessage } from './schemas.ts'

const header = (name: string, description: string, example: string) => ({
  in: 'header',
  name,
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

/** What endpoints are sent, for the contract. */
export const sentToEndpoints = {
  event: {
    post: {
      operationId: 'receive_event',
      tags: ['Webhooks'],
      security: [],
      summary: 'Receive an event',
      description:
        'Sent to each webhook endpoint whose `types` let the event through, as Standard Webhooks has it. Check ' +
        '`webhook-signature` with the secret of the endpoint before anything else. Order is not promised: `sequence` ' +
        'gives it. The same event may come again, with the same `webhook-id`.',
      parameters: [
        header('webhook-id', 'The id of the event: the same for every attempt', '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b'),
        header('webhook-timestamp', 'When this attempt was made, in seconds since 1970', '1772366400'),
        header(
          'webhook-signature',
          '`v1,` and the signature; while a secret is replaced several, with spaces between them',
          'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
        ),
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${idOf(WebhookMessage)}` } } },
      },
      responses: {
        '2XX': { description: 'It was taken, within 15 seconds' },
        '410': { description: 'No more is wanted: the endpoint is disabled' },
        default: { description: 'It is sent again, ten times over three days; `Retry-After` is kept to' },
      },
    },
  },
}
