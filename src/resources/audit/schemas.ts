import { type Static, Type } from 'typebox'
import { codes, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import { Actor, changedMeans } from '../events/schemas.ts'

export const auditCategories = ['change', 'denial', 'disclosure'] as const

const state = (description: string) =>
  nullable(Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, description }))

export const AuditEntry = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1, description: 'Without a gap, for each tenant; not that of events' }),
    id: uuid(),
    occurred_at: instant(),
    category: codes(auditCategories, {
      description: '`denial`: a credential was refused. `disclosure`: a person or an export was shown.',
    }),
    action: Type.String({ examples: ['partnership.activated', 'sign_in.failed', 'access.denied', 'export.read'] }),
    resource_type: nullable(Type.String()),
    resource_id: nullable(uuid()),
    version: nullable(Type.Integer({ description: 'Of the record, after the change' })),
    changed: Type.Array(Type.String(), { description: changedMeans }),
    actor: ref(Actor),
    request_id: nullable(Type.String()),
    operation: nullable(Type.String({ description: 'The operation that was asked for, where nothing was changed' })),
    details: state('What else is known, such as the address of a caller that was refused'),
    before: state(
      'The record as the entry before left it, by the same projection as events; null for a new record, or where the ' +
        'entry before is no longer kept',
    ),
    after: state('The record after the change; null for a deletion'),
    previous_hash: Type.String({ description: 'The hash of the entry before, in hexadecimal; empty for the first' }),
    hash: Type.String({ description: 'SHA-256 over this entry and the hash of the one before, in hexadecimal' }),
  },
  { $id: 'AuditEntry', description: 'Who did what, when' },
)
export type AuditEntry = Static<typeof AuditEntry>
