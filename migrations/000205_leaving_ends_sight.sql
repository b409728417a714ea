-- Who has left a partnership sees nothing that came later: neither who joined it then, nor what became of organisations
-- that it knows from such partnerships alone.

alter table partnership_parties add column created_at timestamptz not null default now();
-- Where somebody has left, the audit tells who came when.
do $$
declare
  tenant uuid;
begin
  for tenant in select id from tenants loop
    perform set_config('beide.tenant_id', tenant::text, true);
    update partnership_parties p set created_at = coalesce((
        select min(e.occurred_at) from audit_entries e cross join json_array_elements(e.after -> 'parties') m
        where e.tenant_id = tenant and e.resource_type = 'partnership' and e.resource_id = p.partnership_id
          and e.category = 'change' and m ->> 'id' = p.id::text
          and exists (select from partnership_parties q
            where q.tenant_id = tenant and q.partnership_id = p.partnership_id and q.left_on is not null)
      ), s.created_at)
      from partnerships s where p.tenant_id = tenant and s.tenant_id = tenant and s.id = p.partnership_id;
  end loop;
  perform set_config('beide.tenant_id', '', true);
end
$$;

-- The end of the last day on which the reader had a part in a partnership, or in one where it met this organisation; null
-- where it has one without end.
create or replace function partner_horizon(partnership uuid) returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select case when bool_and(p.left_on is not null)
    then max((p.left_on + 1)::timestamp at time zone s.time_zone) end
  from (
    select partnership as id, '-infinity'::timestamptz as met_at
    union all
    select q.partnership_id, q.created_at from partnership_parties q
    where q.tenant_id = current_tenant() and q.organisation_id = partnership
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
  met as (
    select distinct p.organisation_id as id from gone
    join partnership_parties p on p.tenant_id = current_tenant() and p.partnership_id = gone.id
    where p.organisation_id <> all ((select partner_own())::uuid[])
  )
  select coalesce(array_agg(id), '{}') from (
    select id from gone union all select id from met where partner_horizon(id) is not null
  ) known
$$;

-- The reader's organisations, and those that it is in a partnership with, or was while it had a part in it.
create or replace function partner_organisations() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(distinct id), '{}') from (
    select unnest(partner_own()) as id
    union all
    select p.organisation_id from partnership_parties p
    where p.tenant_id = current_tenant() and p.partnership_id = any ((select partner_partnerships())::uuid[])
      and (p.partnership_id <> all ((select partner_left())::uuid[]) or p.created_at < partner_horizon(p.partnership_id))
  ) known
$$;

do $$
begin
  execute format('alter policy of_partner on partnership_parties using (%s)', within_reach('partnership_id', 'created_at'));
end
$$;

create policy until_parted on events as restrictive for select to beide_partner using (
  resource_type <> 'organisation' or resource_id <> all ((select partner_left())::uuid[])
  or occurred_at < partner_horizon(resource_id));
