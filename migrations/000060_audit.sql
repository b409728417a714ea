-- Audit: who did what, in an order that cannot be changed unseen. Each entry holds the hash of the one before it, so a
-- changed, removed or inserted entry breaks the chain. The service may read; only these functions, which belong to the
-- owner, add; nobody changes.

-- The end of each tenant's chain: an entry that is cut off the end is missed here.
create table audit_heads (
  tenant_id uuid primary key references tenants,
  sequence bigint not null,
  hash bytea not null
) with (fillfactor = 50);

create table audit_entries (
  -- Its tenant is known to the head: a reference of each entry would cost a look-up with every write.
  tenant_id uuid not null,
  sequence bigint not null,
  id uuid not null,
  occurred_at timestamptz not null,
  category text not null check (category in ('change', 'denial', 'disclosure')),
  action text not null,
  resource_type text,
  resource_id uuid,
  -- Of the record, after the change.
  version integer,
  changed text[] not null,
  actor json not null,
  actor_id text generated always as (actor ->> 'id') stored,
  request_id text,
  operation text,
  details json,
  -- The record after the change, as events keep it: the state before it is that of the entry before.
  after json,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (tenant_id, sequence)
);
create index audit_entries_by_record on audit_entries (tenant_id, resource_type, resource_id, sequence);
create index audit_entries_by_actor on audit_entries (tenant_id, actor_id, sequence);
create index audit_entries_by_time on audit_entries (tenant_id, occurred_at);
create index audit_entries_by_category on audit_entries (tenant_id, category, sequence) where category <> 'change';

select protect_table('audit_heads', 'select');
select protect_table('audit_entries', 'select');
create policy set_up on audit_heads to current_user using (true) with check (true);
create policy set_up on audit_entries to current_user using (true) with check (true);

-- Appends one entry to the chain of its tenant. The hash is SHA-256 of the lines below, of which a program can make it
-- again: see src/db/audit-chain.ts.
create function audit_append(
  tenant uuid, at timestamptz, category text, action text, resource_type text, resource_id uuid, version integer,
  changed text[], actor json, request_id text, operation text, details json, after json
) returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  head audit_heads%rowtype;
  entry_id uuid := gen_random_uuid();
  made bytea;
begin
  select * into head from audit_heads h where h.tenant_id = tenant for no key update;
  if not found then
    insert into audit_heads (tenant_id, sequence, hash) values (tenant, 0, '') on conflict do nothing;
    select * into head from audit_heads h where h.tenant_id = tenant for no key update;
  end if;
  made := sha256(convert_to(concat_ws(e'\n', 'beide audit 1', tenant, head.sequence + 1, entry_id,
    (extract(epoch from at) * 1000000)::bigint, category, action, coalesce(resource_type, ''),
    coalesce(resource_id::text, ''), coalesce(version::text, ''), array_to_string(changed, ','), actor::text,
    coalesce(request_id, ''), coalesce(operation, ''), coalesce(details::text, ''),
    coalesce(encode(sha256(convert_to(after::text, 'UTF8')), 'hex'), ''), encode(head.hash, 'hex')), 'UTF8'));
  insert into audit_entries (tenant_id, sequence, id, occurred_at, category, action, resource_type, resource_id, version,
    changed, actor, request_id, operation, details, after, previous_hash, hash)
  values (tenant, head.sequence + 1, entry_id, at, category, action, resource_type, resource_id, version, changed, actor,
    request_id, operation, details, after, head.hash, made);
  update audit_heads h set sequence = head.sequence + 1, hash = made where h.tenant_id = tenant;
end
$$;
revoke all on function audit_append(uuid, timestamptz, text, text, text, uuid, integer, text[], json, text, text, json, json)
  from public;

-- Each change of a record is an event, and each event is an entry: in the same statement, so that there is no change
-- without one.
create function audit_event() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  perform audit_append(new.tenant_id, new.occurred_at, 'change', new.type, new.resource_type, new.resource_id,
    new.version, new.changed, new.actor, new.request_id, null, null, new.representation);
  return null;
end
$$;
create trigger audited after insert on events for each row execute function audit_event();

-- What the service notes beside changes: a credential that was refused, a person or an export that was shown.
create function audit_access(
  tenant uuid, at timestamptz, category text, action text, resource_type text, resource_id uuid, actor json,
  request_id text, operation text, details json
) returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  if category not in ('denial', 'disclosure') then
    raise exception 'A change is noted with its event alone';
  end if;
  perform audit_append(tenant, at, category, action, resource_type, resource_id, null, '{}', actor, request_id,
    operation, details, null);
end
$$;
revoke all on function audit_access(uuid, timestamptz, text, text, text, uuid, json, text, text, json) from public;
grant execute on function audit_access(uuid, timestamptz, text, text, text, uuid, json, text, text, json) to beide_service;

-- What was recorded before this.
do $$
declare
  e events%rowtype;
begin
  for e in select * from events order by tenant_id, sequence loop
    perform audit_append(e.tenant_id, e.occurred_at, 'change', e.type, e.resource_type, e.resource_id, e.version,
      e.changed, e.actor, e.request_id, null, null, e.representation);
  end loop;
end
$$;

-- Removes entries from before an instant, from the oldest on: the chain then begins at the oldest that is kept. Returns
-- how many.
create function expire_audit(before timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  tenant uuid;
  removed integer := 0;
  here integer;
begin
  for tenant in select id from tenants loop
    delete from audit_entries e using (
      select o.sequence from (
        select sequence, bool_and(occurred_at < before) over (order by sequence) as is_old from (
          select sequence, occurred_at from audit_entries where tenant_id = tenant order by sequence
          limit batch - removed
        ) oldest
      ) o where o.is_old
    ) old
    where e.tenant_id = tenant and e.sequence = old.sequence;
    get diagnostics here = row_count;
    removed := removed + here;
    exit when removed >= batch;
  end loop;
  return removed;
end
$$;
revoke all on function expire_audit(timestamptz, integer) from public;
grant execute on function expire_audit(timestamptz, integer) to beide_service;
