-- Keys that are renewed in place, and keys that work from known addresses alone.

alter table api_keys
  -- Networks in CIDR form; empty: from everywhere.
  add column allowed_addresses text[] not null default '{}',
  -- The secret before, and until when it still opens.
  add column previous_secret_hash bytea,
  add column previous_valid_until timestamptz,
  add constraint previous_secret_has_an_end check ((previous_secret_hash is null) = (previous_valid_until is null));
create index api_keys_by_organisation on api_keys using gin (organisation_ids);

drop function find_api_key(text);
create function find_api_key(presented_prefix text)
  returns table (
    tenant_id uuid, id uuid, secret_hash bytea, scopes text[], is_live boolean, expires_at timestamptz,
    last_used_at timestamptz, is_partner boolean, organisations uuid[], allowed_addresses text[],
    previous_secret_hash bytea, previous_valid_until timestamptz
  )
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select k.tenant_id, k.id, k.secret_hash, k.scopes, k.revoked_at is null, k.expires_at, k.last_used_at,
    k.organisation_ids <> '{}', k.organisation_ids, k.allowed_addresses, k.previous_secret_hash, k.previous_valid_until
    from api_keys k where k.prefix = presented_prefix;
$$;
revoke all on function find_api_key(text) from public;
grant execute on function find_api_key(text) to beide_service;
