import type pg from 'pg'
import { seed } from './seed.ts'

const tenant = `current_tenant()`

/**
 * A tenant whose one charity is a party to every partnership: each with promises in instalments and deliveries, two
 * judged rounds, and an objective that it contributes to.
 * @returns the id of the charity
 */
export async function seedPortfolio(client: pg.Client, tenantId: string, partnerships: number): Promise<string> {
  await seed(client, tenantId, { partnerships, commitmentsPerPartnership: 5, rounds: 2 * partnerships })
  const { rows } = await client.query<{ id: string }>(
    `select id from organisations where tenant_id = $1 and sector = 'non_profit' order by id limit 1`,
    [tenantId],
  )
  const charity = rows[0]?.id as string
  await client.query('set session_replication_role = replica')
  for (const statement of statements(charity)) await client.query(statement)
  await client.query('set session_replication_role = origin')
  await client.query('analyze')
  return charity
}

const statements = (charity: string): string[] => [
  `update partnership_parties set organisation_id = '${charity}' where tenant_id = ${tenant} and side = 'non_profit'`,
  `insert into status_changes (tenant_id, resource_type, resource_id, version, to_status, changed_on, changed_at, actor)
    select ${tenant}, 'partnership', id, 1, case when status = 'draft' then 'active' else status end, starts_on,
      created_at, '{"type": "system", "id": null}'
    from partnerships where tenant_id = ${tenant}`,
  `insert into status_changes (tenant_id, resource_type, resource_id, version, to_status, changed_on, changed_at, actor)
    select ${tenant}, 'commitment', id, 1, status, agreed_on, created_at, '{"type": "system", "id": null}'
    from commitments where tenant_id = ${tenant} and status in ('agreed', 'fulfilled')`,
  `insert into instalments (tenant_id, id, created_at, updated_at, commitment_id, seq, made_on, keeps_weekday,
      original_due_on, due_on, measure, state)
    select ${tenant}, uuidv7(), created_at, created_at, id, n, agreed_on, false, agreed_on + n * 90, agreed_on + n * 90,
      coalesce(amount, quantity) / 4, 'scheduled'
    from commitments, generate_series(1, 4) n where tenant_id = ${tenant} and status in ('agreed', 'fulfilled')`,
  `insert into objectives (tenant_id, id, created_at, updated_at, organisation_id, level, title, importance, active_from,
      sort_title, search_text)
    select ${tenant}, uuidv7(), now(), now(), '${charity}', 'outcome', 'Objective ' || n, n % 5 + 1, '2024-01-01',
      'objective ' || n, 'objective ' || n
    from generate_series(0, 9) n`,
  `insert into objective_links (tenant_id, id, created_at, updated_at, partnership_id, objective_id, contribution,
      assessed_on)
    select ${tenant}, uuidv7(), now(), now(), p.id, o.id, row_number() over () % 4, '2024-06-01'
    from partnerships p, objectives o
    where p.tenant_id = ${tenant} and o.tenant_id = ${tenant} and o.importance > 3`,
]
