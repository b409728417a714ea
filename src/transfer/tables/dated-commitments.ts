import { type RawBuilder, sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import { compiler, param, tenantParam } from '../../db/prepared.ts'
import { figuresOfAsked, stateThen } from '../../resources/measures/read.ts'
import { dated, day } from '../dated.ts'
import { commitmentsSource, commitmentsTable } from './commitments.ts'
import { confirmationThen, ledgerThen, wasEntered } from './dated-records.ts'
import { commitmentValuationsTable } from './deliveries.ts'

// Commitments that were agreed by the day: their terms by the versions of them, their figures as the measures reckon them.

/** Every partnership is asked about. Amounts are in the unit of each commitment: no valuation is asked for. */
const asked = sql`asked as materialized (
  select p.id, p.time_zone, ${day}::date as t, ${day}::date as late_on, 'fair_value' as basis, null::text as currency
  from partnerships p where p.tenant_id = ${tenantParam}
)`

const agreed = sql`with ${asked}, ${figuresOfAsked}`

/** Steps of the commitment `c` by the day; an amendment is none, and leaves the state as it is. */
const steps = sql`h.tenant_id = ${tenantParam} and h.resource_type = 'commitment' and h.resource_id = c.id
  and h.from_status is distinct from h.to_status`

/** What is written anew with each step that ends a commitment, of the last one by the day. */
const lastStep = sql`left join lateral (
  select h.to_status, h.changed_on, h.reason, h.version from status_changes h
  where ${steps} and h.changed_on <= k.t order by h.version desc limit 1
) z on true
left join lateral (
  select h.disruption_id from status_changes h
  where ${steps} and h.changed_on <= k.t and h.to_status = 'lapsed' and h.version > coalesce((
    select max(h.version) from status_changes h where ${steps} and h.changed_on <= k.t
      and h.to_status <> all('{lapsed,released,cancelled,substituted}'::text[])), 0)
  order by h.version desc limit 1
) y on true`

const figures = sql<{ id: string }>`(${agreed}
  select m.id, m.planned, m.skipped, m.replaced, m.delivered, m.outstanding, m.net, ${stateThen} as status, z.to_status,
    z.changed_on, z.reason, y.disruption_id, v.terms,
    not exists (select from status_changes h where ${steps} and h.version > z.version) as is_last
  from figures m
  join asked k on k.id = m.partnership_id
  join commitments c on c.tenant_id = ${tenantParam} and c.id = m.id
  ${lastStep}
  left join lateral (
    select v.terms from term_versions v
    where v.tenant_id = ${tenantParam} and v.resource_type = 'commitment' and v.resource_id = c.id and v.valid_from <= k.t
    order by v.number desc limit 1
  ) v on c.is_amended)`.as('m')

/** What was reported by the day, and neither confirmed nor disputed by it. */
const reported = sql<{ commitment_id: string; reported: string | null }>`(${ledgerThen
  .select([
    'r.commitment_id',
    sql`sum(case when r.reversal_of is null then 1 else -1 end * coalesce(r.amount, r.quantity))`.as('reported'),
  ])
  .where('r.tenant_id', '=', tenantParam)
  .where(wasEntered)
  .where(sql<boolean>`${confirmationThen} = 'reported'`)
  .groupBy('r.commitment_id')})`.as('w')

/** Money keeps the digits in which it was stored; quantities are plain decimals. */
const measured = (value: RawBuilder<unknown>) =>
  sql`case when r.currency is not null then r.amount - r.amount + ${value} else trim_scale(${value}) end`
const term = (name: string) => sql`coalesce(m.terms ->> ${sql.lit(name)}, ${sql.ref(`r.${name}`)})`
/** What a step wrote: as it stands where no other followed. */
const ofStep = (now: string, then: RawBuilder<unknown>) =>
  sql`case when m.is_last then ${sql.ref(`r.${now}`)} else ${then} end`

const commitments = commitmentsSource
  .innerJoin(figures, (join) => join.onRef('m.id', '=', 'r.id'))
  .leftJoin(reported, (join) => join.onRef('w.commitment_id', '=', 'r.id'))

export const datedCommitments = dated(commitmentsTable, commitments, {
  where: sql`true`,
  told: {
    ...Object.fromEntries(['title', 'kind', 'binding', 'reciprocity', 'mode'].map((name) => [name, term(name)])),
    amount: sql`case when r.currency is not null then ${measured(sql`m.planned`)} end`,
    quantity: sql`case when r.currency is null then ${measured(sql`m.planned`)} end`,
    delivered: measured(sql`m.delivered`),
    reported: measured(sql`coalesce(w.reported, 0)`),
    skipped: measured(sql`m.skipped`),
    replaced: measured(sql`m.replaced`),
    outstanding: measured(sql`m.outstanding`),
    fulfilment_rate: sql`case when m.net > 0
      then (div(least(m.delivered, m.net) * 10000, m.net) / 10000)::numeric(5, 4)::text end`,
    status: sql.ref('m.status'),
    closed_on: ofStep(
      'closed_on',
      sql`case when m.to_status = any('{fulfilled,lapsed,released,cancelled,substituted}'::text[]) then m.changed_on end`,
    ),
    close_reason: ofStep(
      'close_reason',
      sql`case when m.to_status = any('{lapsed,released,cancelled,substituted}'::text[]) then m.reason end`,
    ),
    disruption_id: ofStep('disruption_id', sql.ref('m.disruption_id')),
    in_return_for: sql`coalesce((m.terms -> 'in_return_for')::json, returns.ids, '[]'::json)`,
  },
  about:
    'Those agreed by then, on the terms of that day. What was taken over as fulfilled counts as delivered in full, and skipped ' +
    'is what pauses had skipped by then, as in the measures of a day.',
  undated: [
    ...['version', 'updated_at', 'description', 'motive', 'from_organisation_id', 'to_organisation_id'],
    ...['external_system', 'external_id', 'external_refs', 'metadata'],
  ],
  filters: {
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
  },
})

export const datedValuations = dated(commitmentValuationsTable, compiler.selectFrom('commitment_valuations as r'), {
  where: sql`r.valued_on <= ${day}::date and r.commitment_id in (${agreed} select f.id from promised f)`,
  about: 'Values of that day or earlier, of commitments agreed by then.',
  undated: ['position'],
  filters: { commitment_id: { schema: uuid(), where: sql`r.commitment_id = ${param('commitment_id')}::uuid` } },
})
