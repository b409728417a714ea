import { type RawBuilder, sql } from 'kysely'
import { param, tenantParam } from '../../db/prepared.ts'
import { activatedOn } from '../partnerships/read.ts'

/**
 * How partnerships stood on a day, as parts of a `with` after `asked`: states by their history, undated columns by the
 * days on which they changed.
 */

export const organisation = sql<string>`${param('organisation_id')}::uuid`

/** The state of a partnership, by its alias, on the day. */
export const statusOf = (alias: string) => sql`(
  select h.to_status from status_changes h
  where h.tenant_id = ${tenantParam} and h.resource_type = 'partnership'
    and h.resource_id = ${sql.ref(`${alias}.id`)} and h.changed_on <= k.t
  order by h.version desc limit 1)`

/** The order of rows of days: the last by the day comes first, or else the first there is. */
export const byDay = (day: RawBuilder<unknown>) =>
  sql`b.day <= ${day} desc, case when b.day <= ${day} then b.day end desc, b.day`

/** Parties that take part on the day, by the alias `p`. */
export const present = sql`(p.joined_on is null or p.joined_on <= k.t) and (p.left_on is null or p.left_on > k.t)`

/** What partnerships were on the day, as far as their own columns do not say since when they are so. */
const days = sql`days as materialized (
  select distinct on (b.partnership_id) b.partnership_id, b.ends_on, b.evaluation_interval, b.managed
  from asked k join partnership_days b on b.tenant_id = ${tenantParam} and b.partnership_id = k.id
  order by b.partnership_id, ${byDay(sql`k.t`)}
)`

const managers = sql`managers as materialized (
  select m.partnership_id, array_agg(m.party_id) as managed
  from asked k join partnership_managers m on m.tenant_id = ${tenantParam} and m.partnership_id = k.id
  group by m.partnership_id
)`

/** The sides that take part on the day, those without a manager, and the side of the organisation. */
const seats = sql`seats as materialized (
  select g.partnership_id, array_agg(g.side order by g.side) as sides,
    coalesce(array_agg(g.side order by g.side) filter (where not g.is_managed), '{}') as unmanaged,
    min(g.side) filter (where g.is_own) as side
  from (
    select p.partnership_id, p.side, bool_or(p.id = any(coalesce(d.managed, m.managed, '{}'))) as is_managed,
      bool_or(p.organisation_id = ${organisation}) as is_own
    from asked k
    join partnership_parties p on p.tenant_id = ${tenantParam} and p.partnership_id = k.id and ${present}
    left join days d on d.partnership_id = k.id
    left join managers m on m.partnership_id = k.id
    group by p.partnership_id, p.side
  ) g
  group by g.partnership_id
)`

/** The state on the day, and the day of the activation: the first there is where it was taken over in a later state. */
const history = sql`history as materialized (
  select h.resource_id as partnership_id, (array_agg(h.to_status order by h.version desc))[1] as status,
    ${activatedOn} as activated_on
  from asked k
  join status_changes h on h.tenant_id = ${tenantParam} and h.resource_type = 'partnership' and h.resource_id = k.id
    and h.changed_on <= k.t
  group by h.resource_id
)`

/** The impacts that ask for a response, and the first day by which one asks for an evaluation that has not been held. */
const impacts = sql`impacts as materialized (
  select n.partnership_id, json_agg(json_build_object('id', n.id, 'severity', n.severity,
    'response_due_on', n.response_due_on) order by n.assessed_on, n.id) filter (where n.is_open) as impacts,
    min(n.evaluation_due_on) filter (where n.evaluation_obligation = 'open') as evaluation_due_on
  from (
    select i.partnership_id, i.id, i.assessed_on, coalesce(b.severity, i.severity) as severity,
      case when b.day is null then i.response_due_on else b.response_due_on end as response_due_on,
      (i.responded_on is null or i.responded_on > k.t) and coalesce(b.response, i.response) <> 'none_needed' as is_open,
      coalesce(b.evaluation_obligation, i.evaluation_obligation) as evaluation_obligation,
      case when b.evaluation_obligation is null then i.evaluation_due_on else b.evaluation_due_on end as evaluation_due_on
    from asked k
    join disruption_impacts i on i.tenant_id = ${tenantParam} and i.partnership_id = k.id and i.assessed_on <= k.t
    left join lateral (
      select b.* from impact_days b where b.tenant_id = ${tenantParam} and b.impact_id = i.id
      order by ${byDay(sql`k.t`)} limit 1
    ) b on true
  ) n
  group by n.partnership_id
)`

/** The open pause, of the partnership or of a commitment, that is to end first. */
const openPauses = sql`open_pauses as materialized (
  select distinct on (p.partnership_id) p.partnership_id, json_build_object('id', p.id, 'commitment_id', p.commitment_id,
    'expected_on', coalesce(p.planned_resume_on, p.review_on)) as pause
  from asked k
  join pauses p on p.tenant_id = ${tenantParam} and p.partnership_id = k.id and p.starts_on <= k.t
    and (p.resumed_on is null or p.resumed_on > k.t)
  order by p.partnership_id, coalesce(p.planned_resume_on, p.review_on), p.id
)`

/** Partnerships that another one goes on from. */
const succeeded = sql`succeeded as materialized (
  select distinct n.predecessor_id as partnership_id
  from asked k
  join partnerships n on n.tenant_id = ${tenantParam} and n.predecessor_id = k.id
  where ${statusOf('n')} in ('proposed', 'active', 'paused', 'ending')
)`

export const standing = sql`${days}, ${managers}, ${seats}, ${history}, ${impacts}, ${openPauses}, ${succeeded}`
