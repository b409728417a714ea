-- Partners: credentials bound to organisations, and a wall of their own. What a partner reads is read under a role that
-- may select alone, from the tables named here alone, and of those the rows that its organisations have a part in. A
-- role apart, so that the statements of the tenant's own people carry no condition for it.

do $$
begin
  if not exists (select from pg_roles where rolname = 'beide_partner') then
    create role beide_partner nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
end
$$;

-- Without inheriting: else the partners' policies would bind the owner too, and the functions below, which are its own.
do $$
begin
  if not pg_has_role(current_user, 'beide_partner', 'set') then
    execute format('grant beide_partner to %I with inherit false, set true', current_user);
  end if;
end
$$;

grant usage on schema public to beide_partner;

alter table api_keys add column organisation_ids uuid[] not null default '{}';

-- An organisation that was merged stands for its survivor. A partner's key stays one, whatever became of its organisations.
drop function find_api_key(text);
create function find_api_key(presented_prefix text)
  returns table (
    tenant_id uuid, id uuid, secret_hash bytea, scopes text[], is_live boolean, expires_at timestamptz,
    last_used_at timestamptz, is_partner boolean, organisations uuid[]
  )
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select k.tenant_id, k.id, k.secret_hash, k.scopes, k.revoked_at is null, k.expires_at, k.last_used_at,
    k.organisation_ids <> '{}', k.organisation_ids
    from api_keys k where k.prefix = presented_prefix;
$$;
revoke all on function find_api_key(text) from public;
grant execute on function find_api_key(text) to beide_service;

-- The organisations of the reader; null, and so no row at all, where none were set.
create function current_organisations() returns uuid[]
  language sql stable parallel safe
  as $$ select string_to_array(nullif(current_setting('beide.organisations', true), ''), ',')::uuid[] $$;

-- The organisations of the reader, with the survivors of those that were merged.
create function partner_own() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  with recursive own (id) as (
    select unnest(current_organisations())
    union
    select o.merged_into_id from own join organisations o on o.tenant_id = current_tenant() and o.id = own.id
    where o.merged_into_id is not null
  )
  select coalesce(array_agg(id), '{}') from own
$$;

-- The partnerships that the reader has or had a part in. A draft is its author's alone.
create function partner_partnerships() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(distinct p.partnership_id), '{}')
  from partnership_parties p
  join partnerships s on s.tenant_id = p.tenant_id and s.id = p.partnership_id and s.status <> 'draft'
  where p.tenant_id = current_tenant() and p.organisation_id = any ((select partner_own())::uuid[])
    and (p.left_on is null or (p.left_on + 1)::timestamp at time zone s.time_zone > s.created_at)
$$;

-- Those of them that the reader has left, or is to leave.
create function partner_left() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(partnership_id), '{}') from (
    select p.partnership_id from partnership_parties p
    where p.tenant_id = current_tenant() and p.organisation_id = any ((select partner_own())::uuid[])
    group by p.partnership_id having bool_and(p.left_on is not null)
  ) gone
$$;

-- The end of the last day on which the reader had a part in a partnership; null where it has one without end.
create function partner_horizon(partnership uuid) returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select case when bool_and(p.left_on is not null)
    then max((p.left_on + 1)::timestamp at time zone s.time_zone) end
  from partnership_parties p join partnerships s on s.tenant_id = p.tenant_id and s.id = p.partnership_id
  where p.tenant_id = current_tenant() and p.partnership_id = partnership
    and p.organisation_id = any ((select partner_own())::uuid[])
$$;

-- What is offered in the place of a promise: shown with the proposal, though it may still be a draft.
create function partner_offered() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(s.by_commitment_id), '{}') from substitutions s
  where s.tenant_id = current_tenant() and s.partnership_id = any ((select partner_partnerships())::uuid[])
$$;

-- The reader's own parties.
create function partner_parties() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(p.id), '{}') from partnership_parties p
  where p.tenant_id = current_tenant() and p.organisation_id = any ((select partner_own())::uuid[])
$$;

-- The reader's organisations, and those that it is in a partnership with.
create function partner_organisations() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(distinct id), '{}') from (
    select unnest(partner_own()) as id
    union all
    select p.organisation_id from partnership_parties p
    where p.tenant_id = current_tenant() and p.partnership_id = any ((select partner_partnerships())::uuid[])
  ) known
$$;

-- Opens a table to partners, for the rows that a condition lets through.
create function open_to_partners(name regclass, condition text) returns void
  language plpgsql
  as $$
begin
  execute format('grant select on %s to beide_partner', name);
  execute format('create policy of_partner on %s as restrictive for select to beide_partner using (%s)', name, condition);
end
$$;

-- The condition of a row that belongs to a partnership and came to be at an instant: leaving ends the sight of what
-- comes after, not of what was shared.
create function within_reach(partnership text, came_at text) returns text
  language sql immutable
  as $$
  select format(
    '%1$s = any ((select partner_partnerships())::uuid[])
     and (%1$s <> all ((select partner_left())::uuid[]) or %2$s < partner_horizon(%1$s))',
    partnership, came_at
  )
$$;

-- The condition of a row that belongs to a commitment.
create function of_commitment(name text, came_at text) returns text
  language sql immutable
  as $$
  select format(
    'exists (select from commitments c where c.tenant_id = %1$s.tenant_id and c.id = %1$s.commitment_id
       and (c.partnership_id <> all ((select partner_left())::uuid[]) or %2$s < partner_horizon(c.partnership_id)))',
    name, came_at
  )
$$;

select open_to_partners('organisations', 'id = any ((select partner_organisations())::uuid[])');
select open_to_partners('organisation_identifiers', 'organisation_id = any ((select partner_organisations())::uuid[])');
select open_to_partners('partnerships', within_reach('id', 'created_at'));
select open_to_partners('partnership_parties', 'partnership_id = any ((select partner_partnerships())::uuid[])');
select open_to_partners('commitments', $$(status <> 'draft' or id = any ((select partner_offered())::uuid[])) and $$
  || within_reach('partnership_id', 'created_at'));
select open_to_partners('commitment_valuations',
  'exists (select from commitments c where c.tenant_id = commitment_valuations.tenant_id
     and c.id = commitment_valuations.commitment_id)');
select open_to_partners('commitment_returns',
  'exists (select from commitments c where c.tenant_id = commitment_returns.tenant_id
     and c.id = commitment_returns.commitment_id)
   and exists (select from commitments c where c.tenant_id = commitment_returns.tenant_id
     and c.id = commitment_returns.in_return_for_id)');
select open_to_partners('fulfilments', of_commitment('fulfilments', 'fulfilments.created_at'));
-- These have no versions that are kept: what changed later is not shown at all.
select open_to_partners('instalments', of_commitment('instalments', 'instalments.updated_at'));
select open_to_partners('instalment_reductions', of_commitment('instalment_reductions', 'instalment_reductions.created_at'));
select open_to_partners('pauses', within_reach('partnership_id', 'created_at') || ' and (commitment_id is null or exists (
  select from commitments c where c.tenant_id = pauses.tenant_id and c.id = pauses.commitment_id))');
select open_to_partners('commitment_pauses',
  'exists (select from pauses p where p.tenant_id = commitment_pauses.tenant_id and p.id = commitment_pauses.pause_id)
   and exists (select from commitments c where c.tenant_id = commitment_pauses.tenant_id
     and c.id = commitment_pauses.commitment_id)');
select open_to_partners('amendments', within_reach('partnership_id', 'created_at'));
select open_to_partners('substitutions', within_reach('partnership_id', 'created_at'));
select open_to_partners('evaluations', within_reach('partnership_id', 'created_at'));
select open_to_partners('evaluation_invitations',
  'party_id = any ((select partner_parties())::uuid[]) and ' || within_reach('partnership_id', 'created_at'));
select open_to_partners('evaluation_responses',
  'exists (select from evaluations e where e.tenant_id = evaluation_responses.tenant_id
     and e.id = evaluation_responses.evaluation_id and '
  || within_reach('e.partnership_id', 'e.closed_at') || ')');
select open_to_partners('evaluation_scores',
  'exists (select from evaluations e where e.tenant_id = evaluation_scores.tenant_id
     and e.id = evaluation_scores.evaluation_id and ' || within_reach('e.partnership_id', 'e.closed_at') || ')');
do $$
begin
  if to_regclass('evaluation_texts') is null then return; end if;
  perform open_to_partners('evaluation_texts',
    'exists (select from evaluations e where e.tenant_id = evaluation_texts.tenant_id
       and e.id = evaluation_texts.evaluation_id and ' || within_reach('e.partnership_id', 'e.closed_at') || ')');
end
$$;
select open_to_partners('evaluation_decisions', within_reach('partnership_id', 'created_at'));
select open_to_partners('objectives', 'organisation_id = any ((select partner_own())::uuid[])');
select open_to_partners('objective_links', within_reach('partnership_id', 'created_at') || ' and exists (
  select from objectives o where o.tenant_id = objective_links.tenant_id and o.id = objective_links.objective_id)');
select open_to_partners('status_changes', $$case resource_type
  when 'partnership' then $$ || within_reach('resource_id', 'changed_at') || $$
  when 'commitment' then exists (
    select from commitments c where c.tenant_id = status_changes.tenant_id and c.id = status_changes.resource_id
      and $$ || within_reach('c.partnership_id', 'status_changes.changed_at') || $$)
  when 'evaluation' then exists (
    select from evaluations e where e.tenant_id = status_changes.tenant_id and e.id = status_changes.resource_id
      and $$ || within_reach('e.partnership_id', 'status_changes.changed_at') || $$)
  else false end$$);
select open_to_partners('term_versions', $$case resource_type
  when 'partnership' then $$ || within_reach('resource_id', 'recorded_at') || $$
  when 'commitment' then exists (
    select from commitments c where c.tenant_id = term_versions.tenant_id and c.id = term_versions.resource_id
      and $$ || within_reach('c.partnership_id', 'term_versions.recorded_at') || $$)
  else false end$$);
-- The ids of the tenant's other systems, and its people: views join them, and find nothing.
select open_to_partners('external_refs', 'false');
select open_to_partners('partnership_managers', 'false');
