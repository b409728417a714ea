import type pg from 'pg'

export interface Size {
  partnerships: number
  commitmentsPerPartnership: number
  /** Of each commitment that was agreed, with the steps that led there; none where it is left out. */
  instalments?: number
  /** Closed rounds; each has 50 rows of scores. */
  rounds: number
}

/** Fills a tenant by SQL alone: invented rows of the shapes and lengths that real ones have. */
export async function seed(client: pg.Client, tenantId: string, size: Size): Promise<void> {
  // The rows keep to the foreign keys; checking a million of them one by one would take most of the run.
  await client.query('set session_replication_role = replica')
  await client.query(orderedId)
  await client.query("select set_config('beide.tenant_id', $1, false)", [tenantId])
  for (const statement of statements(size)) await client.query(statement)
  await client.query('set session_replication_role = origin')
  await client.query('analyze')
}

/** Ids in the order in which they are made, as the service makes them: Postgres can only since 18. */
const orderedId = `create or replace function pg_temp.ordered_id() returns uuid language sql volatile as $$
  select encode(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1), 'hex')::uuid
$$`

const tenant = `current_tenant()`
const moment = (n: string) => `timestamptz '2025-01-01 00:00:00Z' + ${n} * interval '1 second 1234 microseconds'`

function statements({ partnerships, commitmentsPerPartnership: each, rounds, instalments = 0 }: Size): string[] {
  return [
    `create temporary table made_organisation on commit preserve rows as
      select n, pg_temp.ordered_id() as id from generate_series(0, 999) n`,
    `insert into organisations (tenant_id, id, created_at, updated_at, name, sector, status, sort_name, search_text)
      select ${tenant}, id, ${moment('n')}, ${moment('n')}, 'Organisation ' || n,
        case when n % 2 = 0 then 'company' else 'non_profit' end, 'active', 'organisation ' || n, 'organisation ' || n
      from made_organisation order by n`,
    `create temporary table made_partnership on commit preserve rows as
      select n, pg_temp.ordered_id() as id, pg_temp.ordered_id() as company, pg_temp.ordered_id() as charity from generate_series(0, ${partnerships - 1}) n`,
    `insert into partnerships (tenant_id, id, created_at, updated_at, name, reference, purpose, starts_on,
        evaluation_interval, base_currency, time_zone, status, sort_name, search_text)
      select ${tenant}, id, ${moment('n')}, ${moment('n')}, 'Partnership ' || n, 'P-' || n,
        '{"why": {"en": "Children read better"}, "what": {"en": "Reading groups"}}', date '2024-01-01' + n % 700,
        'P6M', 'EUR', 'Europe/Amsterdam', (array['active', 'active', 'active', 'draft', 'paused'])[n % 5 + 1],
        'partnership ' || n, 'partnership ' || n
      from made_partnership order by n`,
    ...(['company', 'charity'] as const).map(
      (side, position) => `
      insert into partnership_parties (tenant_id, id, partnership_id, organisation_id, side, role, joined_on, position)
      select ${tenant}, p.${side}, p.id, o.id, '${side === 'company' ? 'company' : 'non_profit'}', 'lead', '2024-01-01',
        ${position}
      from made_partnership p join made_organisation o on o.n = p.n * 2 % 1000 + ${position} order by p.n`,
    ),
    `create temporary table made_commitment on commit preserve rows as
      select p.n * ${each} + m as n, m, pg_temp.ordered_id() as id, p.id as partnership_id, p.company, p.charity
      from made_partnership p, generate_series(0, ${each - 1}) m order by 1`,
    // The last of each partnership is the charity's return, counted in pieces.
    `insert into commitments (tenant_id, id, created_at, updated_at, partnership_id, from_party_id, to_party_id, kind,
        title, description, binding, reciprocity, motive, mode, amount, currency, quantity, unit, status, agreed_on,
        metadata, search_text)
      select ${tenant}, id, ${moment('n')}, ${moment('n')}, partnership_id,
        case when is_return then charity else company end, case when is_return then company else charity end,
        case when is_return then 'visibility' else 'cash' end, 'Contribution ' || n,
        'A yearly contribution to the reading groups, "as agreed"', 'firm', 'in_return', 'charitable_gift',
        'not_applicable', case when not is_return then 1000 + n % 9000 + 0.50 end,
        case when not is_return then 'EUR' end, case when is_return then 12 end,
        case when is_return then 'placement' end,
        (array['agreed', 'agreed', 'fulfilled', 'draft', 'proposed'])[n % 5 + 1],
        case when n % 5 < 3 then date '2024-02-01' + n % 700 end, '{}',
        'contribution ' || n
      from (select *, m = ${each - 1} as is_return from made_commitment) c order by n`,
    `insert into external_refs (tenant_id, resource_type, system, ref_id, resource_id, position)
      select ${tenant}, 'commitment', 'crm', lpad(n::text, 10, '0'), id, 0 from made_commitment order by n`,
    `insert into commitment_returns (tenant_id, partnership_id, commitment_id, in_return_for_id, position)
      select ${tenant}, c.partnership_id, c.id, o.id, 0
      from made_commitment c join made_commitment o on o.n = c.n - 1 where c.m = ${each - 1} order by c.n`,
    `insert into fulfilments (tenant_id, id, created_at, updated_at, commitment_id, delivered_on, amount, currency, mode,
        reported_by_party_id, confirmation)
      select ${tenant}, pg_temp.ordered_id(), ${moment('n')}, ${moment('n')}, id, date '2024-06-01' + n % 500, 500.00, 'EUR',
        'not_applicable', company, 'confirmed'
      from made_commitment where m % 2 = 0 and m < ${each - 1} order by n`,
    ...(instalments > 0 ? plans(instalments) : []),
    `create temporary table made_round on commit preserve rows as
      select r.n, pg_temp.ordered_id() as id, p.id as partnership_id
      from generate_series(0, ${rounds - 1}) r(n) join made_partnership p on p.n = r.n % ${partnerships} order by r.n`,
    `insert into evaluations (tenant_id, id, created_at, updated_at, partnership_id, kind, template_code,
        template_version, period_from, period_to, response_mode, status, opened_at, closed_at)
      select ${tenant}, id, ${moment('n')}, ${moment('n')}, partnership_id, 'periodic', 'partnership-review', 1,
        '2024-01-01', '2024-06-30', 'organisation', 'closed', ${moment('n')}, ${moment('n')}
      from made_round order by n`,
    `insert into evaluation_scores (tenant_id, evaluation_id, side, level, code, position, n, score)
      select ${tenant}, r.id, s.side, l.level, l.level || '_' || l.position, l.position, 1, (r.n * 7 + l.position) % 101
      from made_round r, (values ('company'), ('non_profit')) s(side),
        (select 'item' as level, i as position from generate_series(1, 18) i
          union all select 'dimension', i from generate_series(1, 6) i union all select 'overall', 0) l
      order by r.n, l.level, l.position, s.side`,
    'drop table made_organisation, made_partnership, made_commitment, made_round',
  ]
}

/** The instalments of what was agreed, three months apart, its history, and what the returns are worth. */
const plans = (count: number): string[] => [
  `insert into instalments (tenant_id, id, created_at, updated_at, commitment_id, seq, made_on, anchor_day,
      keeps_weekday, original_due_on, due_on, measure, settled, state)
    select ${tenant}, uuidv7(), c.created_at, c.created_at, c.id, s, c.agreed_on, 1, false, d.due_on, d.due_on, d.part,
      case when c.status = 'fulfilled' then d.part else 0 end,
      case when c.status = 'fulfilled' then 'settled' else 'scheduled' end
    from commitments c cross join generate_series(1, ${count}) s
    cross join lateral (
      select (date_trunc('month', c.agreed_on) + s * interval '3 months')::date as due_on,
        coalesce(c.amount, c.quantity) / ${count} as part) d
    where c.tenant_id = ${tenant} and c.status in ('agreed', 'fulfilled')`,
  `insert into status_changes (tenant_id, id, resource_type, resource_id, version, from_status, to_status, changed_on,
      changed_at, actor)
    select ${tenant}, uuidv7(), 'commitment', c.id, t.version, t.before, t.after, c.agreed_on, c.created_at,
      '{"type": "api_key", "id": null}'
    from commitments c
    cross join (values (1, null, 'draft'), (2, 'draft', 'proposed'), (3, 'proposed', 'agreed'), (4, 'agreed', 'fulfilled'))
      t (version, before, after)
    where c.tenant_id = ${tenant} and c.status in ('agreed', 'fulfilled')
      and (t.after <> 'fulfilled' or c.status = 'fulfilled')`,
  `insert into commitment_valuations (tenant_id, commitment_id, position, amount, currency, basis, declared_by, valued_on)
    select ${tenant}, id, 0, 2400, 'EUR', 'fair_value', 'receiver', agreed_on
    from commitments where tenant_id = ${tenant} and unit is not null and status in ('agreed', 'fulfilled')`,
]
