-- What follows an event is done once for all events of a statement: many rows are written together, and the ends of the
-- feed and of the audit would otherwise be moved for each of them.

-- The hash of an entry: SHA-256 of the lines below, of which a program can make it again (src/db/audit-chain.ts).
create function audit_hash(
  tenant uuid, sequence bigint, entry_id uuid, at timestamptz, category text, action text, resource_type text,
  resource_id uuid, version integer, changed text[], actor json, request_id text, operation text, details json,
  after json, previous bytea
) returns bytea
  language sql stable
  as $$
  select sha256(convert_to(concat_ws(e'\n', 'beide audit 1', tenant, sequence, entry_id,
    (extract(epoch from at) * 1000000)::bigint, category, action, coalesce(resource_type, ''),
    coalesce(resource_id::text, ''), coalesce(version::text, ''), array_to_string(changed, ','), actor::text,
    coalesce(request_id, ''), coalesce(operation, ''), coalesce(details::text, ''),
    coalesce(encode(sha256(convert_to(after::text, 'UTF8')), 'hex'), ''), encode(previous, 'hex')), 'UTF8'))
$$;

create function audit_events() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  head audit_heads%rowtype;
  e record;
  entry_id uuid;
  made bytea;
begin
  for e in select * from added order by tenant_id, sequence loop
    if head.tenant_id is distinct from e.tenant_id then
      if head.tenant_id is not null then
        update audit_heads h set sequence = head.sequence, hash = head.hash where h.tenant_id = head.tenant_id;
      end if;
      select * into head from audit_heads h where h.tenant_id = e.tenant_id for no key update;
      if not found then
        insert into audit_heads (tenant_id, sequence, hash) values (e.tenant_id, 0, '') on conflict do nothing;
        select * into head from audit_heads h where h.tenant_id = e.tenant_id for no key update;
      end if;
    end if;
    entry_id := gen_random_uuid();
    made := audit_hash(e.tenant_id, head.sequence + 1, entry_id, e.occurred_at, 'change', e.type, e.resource_type,
      e.resource_id, e.version, e.changed, e.actor, e.request_id, null, null, e.representation, head.hash);
    insert into audit_entries (tenant_id, sequence, id, occurred_at, category, action, resource_type, resource_id,
      version, changed, actor, request_id, after, previous_hash, hash)
    values (e.tenant_id, head.sequence + 1, entry_id, e.occurred_at, 'change', e.type, e.resource_type, e.resource_id,
      e.version, e.changed, e.actor, e.request_id, e.representation, head.hash, made);
    head.sequence := head.sequence + 1;
    head.hash := made;
  end loop;
  if head.tenant_id is not null then
    update audit_heads h set sequence = head.sequence, hash = head.hash where h.tenant_id = head.tenant_id;
  end if;
  return null;
end
$$;
drop trigger audited on events;
create trigger audited after insert on events
  referencing new table as added for each statement execute function audit_events();

create function announce_events() returns trigger
  language plpgsql
  as $$
declare
  made record;
begin
  -- Told at commit, once for each transaction and tenant, for it says no more than that there is something new.
  perform pg_notify('beide_events', tenant_id::text) from (select distinct tenant_id from added) of_tenant;
  for made in
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, sequence, type, status, next_attempt_at, created_at)
    select w.tenant_id, gen_random_uuid(), w.id, n.id, n.sequence, n.type, 'pending', n.occurred_at, n.occurred_at
    from added n join webhook_endpoints w on w.tenant_id = n.tenant_id and w.status = 'enabled'
      and (w.types = '{}' or n.type = any(w.types) or n.resource_type || '.*' = any(w.types))
    order by n.sequence
    returning endpoint_id, id
  loop
    perform enqueue_delivery(made.endpoint_id, made.id, null);
  end loop;
  return null;
end
$$;
drop trigger announced on events;
create trigger announced after insert on events
  referencing new table as added for each statement execute function announce_events();
