-- Finding a credential is a read alone: its use is noted only after its secret was seen to be right.

drop function find_api_key(text);

create function find_api_key(presented_prefix text)
  returns table (
    tenant_id uuid, id uuid, secret_hash bytea, scopes text[], is_live boolean, expires_at timestamptz,
    last_used_at timestamptz
  )
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select k.tenant_id, k.id, k.secret_hash, k.scopes, k.revoked_at is null, k.expires_at, k.last_used_at
    from api_keys k where k.prefix = presented_prefix;
$$;
revoke all on function find_api_key(text) from public;
grant execute on function find_api_key(text) to beide_service;

alter table api_keys add check (name <> '' and scopes <> '{}');
