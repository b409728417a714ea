-- Answers to requests that carried an Idempotency-Key: written in the transaction of the effect, so that a crash leaves
-- both or neither.

create table idempotency_keys (
  tenant_id uuid not null references tenants,
  credential_id uuid not null,
  -- The operation, as an address with names for its parameters: `/v1/partnerships/:id/activate`.
  route text not null,
  key text not null,
  -- SHA-256 of the canonical form of what was asked.
  fingerprint bytea not null,
  status smallint not null,
  headers json not null,
  body bytea not null,
  -- True where the answer holds a secret: the body is encrypted under a key that only the caller's credential gives.
  is_sealed boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, credential_id, route, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

select protect_table('idempotency_keys', 'select, insert, update');
create policy set_up on idempotency_keys to current_user using (true) with check (true);

-- Removes keys that have expired, whichever tenant they are of. Returns how many.
create function expire_idempotency_keys(at timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  removed integer;
begin
  delete from idempotency_keys k using (
    select ctid from idempotency_keys where expires_at <= at order by expires_at limit batch for update skip locked
  ) old
  where k.ctid = old.ctid;
  get diagnostics removed = row_count;
  return removed;
end
$$;
revoke all on function expire_idempotency_keys(timestamptz, integer) from public;
grant execute on function expire_idempotency_keys(timestamptz, integer) to beide_service;
