-- Tenants, credentials, events and the two walls between tenants: composite keys and forced row-level security.

-- The role under which the service works. It owns nothing and bypasses nothing.
do $$
begin
  if not exists (select from pg_roles where rolname = 'beide_service') then
    create role beide_service nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
  if not pg_has_role(current_user, 'beide_service', 'member') then
    grant beide_service to current_user;
  end if;
end
$$;

grant usage on schema public to beide_service;

-- The tenant of the statement in hand; null, and so no row at all, where none was set.
create function current_tenant() returns uuid
  language sql stable parallel safe
  as $$ select nullif(current_setting('beide.tenant_id', true), '')::uuid $$;

-- Puts a table of tenants' rows behind the wall: each later migration calls it for each of its tables.
create function protect_table(name regclass, rights text default 'select, insert, update, delete') returns void
  language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  -- The sub-select is evaluated once a statement, not once a row.
  execute format(
    'create policy of_tenant on %s using (tenant_id = (select current_tenant())) with check (tenant_id = (select current_tenant()))',
    name
  );
  execute format('grant %s on %s to beide_service', rights, name);
end
$$;

create table tenants (
  id uuid primary key,
  name text not null unique check (name <> ''),
  created_at timestamptz not null
);

-- The tenant's event counter: the last thing that a writing transaction touches, so that sequences are gapless and in
-- commit order. A table of its own, for the row is hot and the tenant's row is not.
create table tenant_counters (
  tenant_id uuid primary key references tenants,
  event_sequence bigint not null default 0
) with (fillfactor = 50);

create table api_keys (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null,
  prefix text not null unique,
  secret_hash bytea not null,
  scopes text[] not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (tenant_id, id)
);
create index api_keys_by_creation on api_keys (tenant_id, created_at, id);

create table events (
  tenant_id uuid not null references tenants,
  sequence bigint not null,
  id uuid not null,
  type text not null,
  resource_type text not null,
  resource_id uuid not null,
  version integer not null,
  changed text[] not null,
  actor json not null,
  request_id text,
  representation json,
  occurred_at timestamptz not null,
  primary key (tenant_id, sequence)
);

-- The ids that records have in other systems.
create table external_refs (
  tenant_id uuid not null,
  resource_type text not null,
  system text not null,
  ref_id text not null,
  resource_id uuid not null,
  url text,
  position integer not null,
  primary key (tenant_id, resource_type, system, ref_id)
);
create index external_refs_by_resource on external_refs (tenant_id, resource_type, resource_id, position);

-- What state a record was in since when, and who decided it.
create table status_changes (
  tenant_id uuid not null,
  resource_type text not null,
  resource_id uuid not null,
  version integer not null,
  from_status text,
  to_status text not null,
  changed_on date not null,
  changed_at timestamptz not null,
  decided_by_party_id uuid,
  reason text,
  actor json not null,
  primary key (tenant_id, resource_type, resource_id, version)
);

select protect_table('tenant_counters', 'select, update');
select protect_table('api_keys', 'select, insert, update');
select protect_table('events', 'select, insert');
select protect_table('external_refs');
select protect_table('status_changes', 'select, insert, delete');

alter table tenants enable row level security;
alter table tenants force row level security;
create policy own_tenant on tenants using (id = (select current_tenant()));
grant select on tenants to beide_service;

-- The owner of the schema sets tenants up and looks credentials up, whichever tenant they are of.
create policy set_up on tenants to current_user using (true) with check (true);
create policy set_up on tenant_counters to current_user using (true) with check (true);
create policy set_up on api_keys to current_user using (true) with check (true);

-- Finds a credential before its tenant is known, and notes its use once a minute.
create function find_api_key(presented_prefix text)
  returns table (tenant_id uuid, id uuid, secret_hash bytea, scopes text[], is_live boolean, expires_at timestamptz)
  language sql security definer set search_path = public, pg_temp
  as $$
  update api_keys k set last_used_at = now()
    where k.prefix = presented_prefix and k.revoked_at is null
      and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute');
  select k.tenant_id, k.id, k.secret_hash, k.scopes, k.revoked_at is null, k.expires_at
    from api_keys k where k.prefix = presented_prefix;
$$;
revoke all on function find_api_key(text) from public;
grant execute on function find_api_key(text) to beide_service;
