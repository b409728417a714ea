-- Webhooks: endpoints, what is to be delivered to them, and each attempt. Deliveries and their jobs are made in the
-- transaction that appends the event.

create table webhook_endpoints (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text,
  url text not null,
  -- Empty: all. Otherwise `partnership.paused`, or `partnership.*`.
  types text[] not null,
  -- What the endpoint is shown of records.
  data_scopes text[] not null,
  status text not null check (status in ('enabled', 'disabled')),
  disabled_reason text check (disabled_reason in ('requested', 'gone', 'failing')),
  disabled_at timestamptz,
  -- Since when no attempt has succeeded. Not a part of the representation, for it moves without a new version.
  failing_since timestamptz,
  secret text not null,
  previous_secret text,
  previous_secret_until timestamptz,
  primary key (tenant_id, id),
  check ((status = 'disabled') = (disabled_reason is not null)),
  check ((disabled_reason is null) = (disabled_at is null)),
  check ((previous_secret is null) = (previous_secret_until is null))
);
create index webhook_endpoints_by_creation on webhook_endpoints (tenant_id, created_at, id);
create index webhook_endpoints_by_status on webhook_endpoints (tenant_id, status, created_at, id);

create table webhook_deliveries (
  tenant_id uuid not null,
  id uuid not null,
  endpoint_id uuid not null,
  -- The `webhook-id`: of the event, and so the same for every attempt and every endpoint.
  event_id uuid not null,
  -- None for a test, which is not in the feed and brings its own payload.
  sequence bigint,
  payload json,
  type text not null,
  status text not null check (status in ('pending', 'succeeded', 'failed', 'discarded')),
  attempts integer not null default 0,
  -- The attempts of the present round: a replay begins anew.
  round_attempts integer not null default 0,
  next_attempt_at timestamptz,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, endpoint_id, event_id),
  foreign key (tenant_id, endpoint_id) references webhook_endpoints on delete cascade
);
create index webhook_deliveries_by_creation on webhook_deliveries (tenant_id, endpoint_id, created_at, id);
create index webhook_deliveries_by_status on webhook_deliveries (tenant_id, endpoint_id, status, created_at, id);
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

create table webhook_attempts (
  tenant_id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  attempted_at timestamptz not null,
  duration_ms integer not null,
  status_code integer,
  error text,
  primary key (tenant_id, delivery_id, number),
  foreign key (tenant_id, delivery_id) references webhook_deliveries on delete cascade
);

select protect_table('webhook_endpoints');
select protect_table('webhook_deliveries', 'select, insert, update');
select protect_table('webhook_attempts', 'select, insert');
create policy set_up on webhook_deliveries to current_user using (true) with check (true);
create policy set_up on webhook_attempts to current_user using (true) with check (true);

-- Enqueues the next attempt of a delivery. An endpoint has four lanes: one that hangs does not hold up the others for
-- long, and does not take all the workers.
create function enqueue_delivery(endpoint_id uuid, delivery_id uuid, run_at timestamptz) returns void
  language sql
  as $$
  select enqueue_job(
    'deliver_webhook',
    json_build_object('delivery_id', delivery_id),
    run_at,
    delivery_id::text,
    'webhook ' || endpoint_id || ' ' || abs(hashtext(delivery_id::text)) % 4
  )
$$;

create or replace function announce_event() returns trigger
  language plpgsql
  as $$
declare
  made record;
begin
  -- Told at commit, once for each transaction and tenant, for it says no more than that there is something new.
  perform pg_notify('beide_events', new.tenant_id::text);
  for made in
    insert into webhook_deliveries (tenant_id, id, endpoint_id, event_id, sequence, type, status, next_attempt_at, created_at)
    select w.tenant_id, gen_random_uuid(), w.id, new.id, new.sequence, new.type, 'pending', new.occurred_at, new.occurred_at
    from webhook_endpoints w
    where w.tenant_id = new.tenant_id and w.status = 'enabled'
      and (w.types = '{}' or new.type = any(w.types) or new.resource_type || '.*' = any(w.types))
    returning endpoint_id, id
  loop
    perform enqueue_delivery(made.endpoint_id, made.id, null);
  end loop;
  return null;
end
$$;

-- Removes deliveries that were made before an instant and are done with. Returns how many.
create function expire_deliveries(before timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  removed integer;
begin
  delete from webhook_deliveries d using (
    select tenant_id, id from webhook_deliveries where created_at < before and status <> 'pending'
    order by created_at limit batch
  ) old
  where d.tenant_id = old.tenant_id and d.id = old.id;
  get diagnostics removed = row_count;
  return removed;
end
$$;
revoke all on function expire_deliveries(timestamptz, integer) from public;
grant execute on function expire_deliveries(timestamptz, integer) to beide_service;
