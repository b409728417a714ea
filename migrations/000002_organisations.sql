-- Organisations, their identifiers and their contacts.

create table organisations (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null,
  legal_name text,
  alternate_names text[] not null default '{}',
  sector text not null check (sector in ('company', 'non_profit', 'public', 'education_research', 'other')),
  industry_scheme text check (industry_scheme in ('nace', 'isic', 'sbi', 'icnpo')),
  industry_code text,
  country text,
  parent_id uuid,
  preferred_language text,
  website text,
  status text not null check (status in ('active', 'dormant', 'dissolved')),
  merged_into_id uuid,
  metadata jsonb not null default '{}',
  sort_name text not null,
  search_text text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, parent_id) references organisations,
  foreign key (tenant_id, merged_into_id) references organisations,
  check ((industry_scheme is null) = (industry_code is null)),
  check (parent_id <> id)
);
create index organisations_by_creation on organisations (tenant_id, created_at, id);
create index organisations_by_update on organisations (tenant_id, updated_at, id);
create index organisations_by_name on organisations (tenant_id, sort_name, id);
create index organisations_by_sector on organisations (tenant_id, sector, created_at, id);
create index organisations_by_status on organisations (tenant_id, status, created_at, id);
create index organisations_by_country on organisations (tenant_id, country, created_at, id);
create index organisations_by_parent on organisations (tenant_id, parent_id) where parent_id is not null;
create index organisations_by_survivor on organisations (tenant_id, merged_into_id) where merged_into_id is not null;

create table organisation_identifiers (
  tenant_id uuid not null,
  organisation_id uuid not null,
  scheme text not null,
  value text not null,
  normalised_value text not null,
  role text not null check (role in ('primary', 'secondary')),
  position integer not null,
  primary key (tenant_id, scheme, normalised_value),
  foreign key (tenant_id, organisation_id) references organisations on delete cascade
);
create index organisation_identifiers_by_organisation on organisation_identifiers (tenant_id, organisation_id, position);

create table contacts (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  organisation_id uuid not null,
  name text,
  email text,
  phone text,
  job_title text,
  function text not null check (
    function in ('alliance_manager', 'executive_sponsor', 'operations', 'communications', 'finance', 'other')
  ),
  language text,
  active boolean not null,
  erased_at timestamptz,
  metadata jsonb not null default '{}',
  sort_name text not null,
  search_text text not null,
  primary key (tenant_id, id),
  unique (tenant_id, organisation_id, id),
  foreign key (tenant_id, organisation_id) references organisations,
  check (name is not null or erased_at is not null)
);
create index contacts_by_creation on contacts (tenant_id, organisation_id, created_at, id);
create index contacts_by_update on contacts (tenant_id, organisation_id, updated_at, id);
create index contacts_by_name on contacts (tenant_id, organisation_id, sort_name, id);

select protect_table('organisations');
select protect_table('organisation_identifiers');
select protect_table('contacts');
