-- The tenant's own sign-in: who may issue access tokens for it, and what their claims mean here.

create table oidc_issuers (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null,
  issuer text not null,
  audience text not null,
  -- Null: where the issuer's own metadata say.
  jwks_url text,
  token_type text not null check (token_type in ('at+jwt', 'jwt')),
  algorithms text[] not null check (algorithms <> '{}'),
  -- Whose people it signs in.
  signs_in text not null check (signs_in in ('staff', 'partners')),
  -- The most that a token of it gives; of these those that its claim names, or all of them without such a claim.
  scopes text[] not null check (scopes <> '{}'),
  scopes_claim text,
  -- The claim that names a partner's organisations: by our ids, or by their ids in another system.
  organisations_claim text,
  organisations_system text,
  is_enabled boolean not null,
  is_listed boolean not null,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  -- A token is of one tenant: whoever issues for several tells them apart by audience.
  unique (issuer, audience),
  check ((signs_in = 'partners') = (organisations_claim is not null)),
  check (organisations_claim is not null or organisations_system is null)
);
create index oidc_issuers_by_creation on oidc_issuers (tenant_id, created_at, id);

select protect_table('oidc_issuers');
create policy set_up on oidc_issuers for select to current_user using (true);

-- Finds whose tokens these are, before their tenant is known.
create function find_oidc_issuers(presented_issuer text, presented_audiences text[])
  returns table (
    tenant_id uuid, id uuid, version integer, issuer text, audience text, jwks_url text, token_type text,
    algorithms text[], signs_in text, scopes text[], scopes_claim text, organisations_claim text,
    organisations_system text
  )
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select i.tenant_id, i.id, i.version, i.issuer, i.audience, i.jwks_url, i.token_type, i.algorithms, i.signs_in,
    i.scopes, i.scopes_claim, i.organisations_claim, i.organisations_system
  from oidc_issuers i
  where i.issuer = presented_issuer and i.audience = any (presented_audiences) and i.is_enabled
  limit 2;
$$;
revoke all on function find_oidc_issuers(text, text[]) from public;
grant execute on function find_oidc_issuers(text, text[]) to beide_service;

-- The issuers that tenants let the service name in public.
create function listed_oidc_issuers() returns table (issuer text)
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select distinct i.issuer from oidc_issuers i where i.is_listed and i.is_enabled order by 1 limit 100;
$$;
revoke all on function listed_oidc_issuers() from public;
grant execute on function listed_oidc_issuers() to beide_service;
