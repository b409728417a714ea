import { sql } from 'kysely'
import { compiler } from '../../db/prepared.ts'
import { measureJson } from '../../platform/measures.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import type { Substitution } from './schemas.ts'

/** Row to wire: explicit, so that a new column never leaks. */
const view: View<Substitution> = compiler.selectFrom('substitutions as r').select((eb) => [
  'r.id',
  'r.version',
  'r.created_at',
  'r.updated_at',
  'r.partnership_id',
  'r.replaces_commitment_id',
  'r.by_commitment_id',
  measureJson(sql`coalesce(r.amount, r.quantity)`).$castTo<Substitution['replaced_measure']>().as('replaced_measure'),
  'r.instalment_seq',
  'r.reason',
  'r.disruption_id',
  eb.ref('r.value_difference').$castTo<Substitution['value_difference']>().as('value_difference'),
  eb.ref('r.status').$castTo<Substitution['status']>().as('status'),
  'r.proposed_by_party_id',
  'r.proposed_on',
  'r.decided_by_party_id',
  'r.decided_on',
  'r.decision_note',
  sql<Substitution['assents']>`(
      select json_agg(a) from (
        select r.proposed_by_party_id as party_id, r.proposed_on as "on", null::uuid as recorded_by_party_id
        union all
        select r.decided_by_party_id, r.decided_on, r.decision_recorded_by_party_id where r.status = 'accepted'
      ) a)`.as('assents'),
  externalRefsOf(eb, 'substitution').as('external_refs'),
  eb.ref('r.metadata').$castTo<Record<string, unknown>>().as('metadata'),
])

export const substitutionResource = defineResource<Substitution>({
  type: 'substitution',
  path: 'substitutions',
  table: 'substitutions',
  view,
})
