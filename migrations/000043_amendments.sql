-- Agreed terms change only by an amendment that those concerned accept; how the terms stood on any day stays known.

create table amendments (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  effective_on date not null,
  cause text not null check (cause in ('evaluation', 'disruption', 'renewal', 'correction')),
  evaluation_id uuid,
  disruption_id uuid,
  note text,
  changes jsonb not null,
  -- What it changes, member by member, as it stood and as it is to be.
  diff jsonb not null,
  -- Whose assent it needs: of each group one.
  required jsonb not null,
  assents jsonb not null,
  status text not null check (status in ('proposed', 'accepted', 'rejected', 'withdrawn')),
  proposed_by_party_id uuid not null,
  proposed_on date not null,
  decided_on date,
  decided_by_party_id uuid,
  decision_note text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  unique (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id) references partnerships,
  foreign key (tenant_id, partnership_id, evaluation_id) references evaluations (tenant_id, partnership_id, id),
  foreign key (tenant_id, disruption_id) references disruptions,
  foreign key (tenant_id, partnership_id, proposed_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  check ((status = 'proposed') = (decided_on is null))
);
create index amendments_by_creation on amendments (tenant_id, created_at, id);
create index amendments_by_update on amendments (tenant_id, updated_at, id);
create index amendments_by_effect on amendments (tenant_id, effective_on, id);
create index amendments_by_partnership on amendments (tenant_id, partnership_id, created_at, id);
create index amendments_by_status on amendments (tenant_id, status, created_at, id);

-- The agreed terms of a partnership or a commitment, complete, from a day on. The first version of a record is written
-- with its first amendment: until then its terms are those that it has.
create table term_versions (
  tenant_id uuid not null,
  resource_type text not null check (resource_type in ('partnership', 'commitment')),
  resource_id uuid not null,
  number integer not null,
  valid_from date not null,
  amendment_id uuid,
  terms jsonb not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, resource_type, resource_id, number),
  foreign key (tenant_id, amendment_id) references amendments
);

-- A history tells of amendments too.
alter table status_changes add column amendment_id uuid;

select protect_table('amendments', 'select, insert, update');
select protect_table('term_versions', 'select, insert');
