-- Whose a seat was before organisations were merged: the other parties go on knowing those by their old ids, and who left
-- before a merge learns nothing of it.

-- Those that held the seat before the one that has it, the earliest first: `{organisation_id, until}`.
alter table partnership_parties add column held_before jsonb not null default '[]';

-- Of earlier merges the audit tells.
do $$
declare
  tenant uuid;
begin
  for tenant in select id from tenants loop
    perform set_config('beide.tenant_id', tenant::text, true);
    update partnership_parties p set held_before = told.held
    from (
      select party_id, jsonb_agg(jsonb_build_object('organisation_id', id, 'until', until) order by until) as held
      from (
        select distinct (m ->> 'id')::uuid as party_id, o.id, o.updated_at as until
        from organisations o
        join audit_entries e on e.tenant_id = o.tenant_id and e.resource_type = 'partnership' and e.category = 'change'
        cross join json_array_elements(e.after -> 'parties') m
        where o.tenant_id = tenant and o.merged_into_id is not null and m ->> 'organisation_id' = o.id::text
      ) seats group by party_id
    ) told
    where p.tenant_id = tenant and p.id = told.party_id;
  end loop;
  perform set_config('beide.tenant_id', '', true);
end
$$;

-- The organisations of a seat, the one that has it now and those before it, and since when and until when each has had it.
create function seat_organisations(now_held uuid, held_before jsonb)
  returns table (id uuid, since timestamptz, until timestamptz)
  language sql stable
  as $$
  select (h ->> 'organisation_id')::uuid, lag((h ->> 'until')::timestamptz, 1, '-infinity') over (order by n),
    (h ->> 'until')::timestamptz
  from jsonb_array_elements(held_before) with ordinality as held (h, n)
  union all
  select now_held, coalesce((held_before -> -1 ->> 'until')::timestamptz, '-infinity'), 'infinity'
$$;

-- The end of the last day on which the reader had a part in a partnership, or in one where it met this organisation; null
-- where it has one without end.
create or replace function partner_horizon(partnership uuid) returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
  as $$
  with recursive now_known_as (id) as (
    select partnership
    union
    select o.merged_into_id from now_known_as k join organisations o on o.tenant_id = current_tenant() and o.id = k.id
    where o.merged_into_id is not null
  )
  select case when bool_and(p.left_on is not null)
    then max((p.left_on + 1)::timestamp at time zone s.time_zone) end
  from (
    select partnership as id, '-infinity'::timestamptz as met_at
    union all
    select q.partnership_id, greatest(q.created_at, o.since)
    from partnership_parties q cross join lateral seat_organisations(q.organisation_id, q.held_before) o
    where q.tenant_id = current_tenant() and q.organisation_id = any (array(select id from now_known_as)) and o.id = partnership
  ) met
  join partnership_parties p on p.tenant_id = current_tenant() and p.partnership_id = met.id
  join partnerships s on s.tenant_id = p.tenant_id and s.id = p.partnership_id and s.status <> 'draft'
  where p.organisation_id = any ((select partner_own())::uuid[])
    and (p.left_on is null or met.met_at < (p.left_on + 1)::timestamp at time zone s.time_zone)
$$;

-- What the reader has left, or is to leave: partnerships, and the organisations that it knows from those alone.
create or replace function partner_left() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  with gone as (
    select p.partnership_id as id from partnership_parties p
    where p.tenant_id = current_tenant() and p.organisation_id = any ((select partner_own())::uuid[])
    group by p.partnership_id having bool_and(p.left_on is not null)
  ),
  met as materialized (
    select distinct o.id from gone
    join partnership_parties p on p.tenant_id = current_tenant() and p.partnership_id = gone.id
    cross join lateral seat_organisations(p.organisation_id, p.held_before) o
    where o.id <> all ((select partner_own())::uuid[])
  )
  select coalesce(array_agg(id), '{}') from (
    select id from gone union all select id from met where partner_horizon(id) is not null
  ) known
$$;

-- The reader's organisations, and those that it is in a partnership with, or was while it had a part in it; what was
-- merged into them, as far as it knew that.
create or replace function partner_organisations() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(distinct id), '{}') from (
    select unnest(partner_own()) as id
    union all
    select o.id from partnership_parties p cross join lateral seat_organisations(p.organisation_id, p.held_before) o
    where p.tenant_id = current_tenant() and p.partnership_id = any ((select partner_partnerships())::uuid[])
      and (p.partnership_id <> all ((select partner_left())::uuid[])
        or greatest(p.created_at, o.since) < partner_horizon(p.partnership_id))
      and (o.until = 'infinity' or o.until >= (
        select min(own.created_at) from partnership_parties own
        where own.tenant_id = p.tenant_id and own.partnership_id = p.partnership_id
          and own.organisation_id = any ((select partner_own())::uuid[])))
  ) known
$$;
