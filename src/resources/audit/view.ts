import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import type { View } from '../../platform/resource.ts'
import type { AuditEntry } from './schemas.ts'

/** Row to wire. The state before a change is the one that the entry before it left: it is not kept twice. */
export const auditView: View<AuditEntry> = compiler.selectFrom('audit_entries as r').select((eb) => [
  eb.ref('r.sequence').$castTo<number>().as('sequence'),
  'r.id',
  'r.occurred_at',
  eb.ref('r.category').$castTo<AuditEntry['category']>().as('category'),
  'r.action',
  'r.resource_type',
  'r.resource_id',
  'r.version',
  'r.changed',
  eb.ref('r.actor').$castTo<AuditEntry['actor']>().as('actor'),
  'r.request_id',
  'r.operation',
  eb.ref('r.details').$castTo<AuditEntry['details']>().as('details'),
  sql<AuditEntry['before']>`case when r.category = 'change' then (
      select p.after from audit_entries p where p.tenant_id = r.tenant_id and p.resource_type = r.resource_type
        and p.resource_id = r.resource_id and p.sequence < r.sequence and p.category = 'change'
      order by p.sequence desc limit 1) end`.as('before'),
  eb.ref('r.after').$castTo<AuditEntry['after']>().as('after'),
  sql<string>`encode(r.previous_hash, 'hex')`.as('previous_hash'),
  sql<string>`encode(r.hash, 'hex')`.as('hash'),
])
