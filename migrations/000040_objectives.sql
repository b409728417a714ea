-- Objectives of organisations, and what partnerships contribute to them. A link is superseded, never edited.

create table objectives (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  organisation_id uuid not null,
  level text not null check (level in ('impact', 'outcome', 'output')),
  title text not null,
  description text,
  parent_id uuid,
  sdg_goals smallint[] not null default '{}',
  sdg_targets text[] not null default '{}',
  importance smallint not null check (importance between 1 and 5),
  active_from date not null,
  active_until date,
  indicator_refs text[] not null default '{}',
  metadata jsonb not null default '{}',
  sort_title text not null,
  search_text text not null,
  primary key (tenant_id, id),
  unique (tenant_id, organisation_id, id),
  foreign key (tenant_id, organisation_id) references organisations,
  -- The tree stays within one organisation.
  foreign key (tenant_id, organisation_id, parent_id) references objectives (tenant_id, organisation_id, id),
  check (parent_id <> id),
  check (active_until is null or active_until >= active_from)
);
create index objectives_by_creation on objectives (tenant_id, created_at, id);
create index objectives_by_update on objectives (tenant_id, updated_at, id);
create index objectives_by_title on objectives (tenant_id, sort_title, id);
create index objectives_by_importance on objectives (tenant_id, importance, id);
create index objectives_by_organisation on objectives (tenant_id, organisation_id, created_at, id);
create index objectives_by_level on objectives (tenant_id, level, created_at, id);
create index objectives_by_parent on objectives (tenant_id, parent_id) where parent_id is not null;

create table objective_links (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  objective_id uuid not null,
  contribution smallint not null check (contribution between 0 and 3),
  rationale text,
  assessed_on date not null,
  evaluation_id uuid,
  -- The day from which its successor counts; what was so on an earlier day stays a query.
  superseded_on date,
  superseded_by_id uuid,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  foreign key (tenant_id, partnership_id) references partnerships,
  foreign key (tenant_id, objective_id) references objectives,
  foreign key (tenant_id, partnership_id, evaluation_id) references evaluations (tenant_id, partnership_id, id),
  foreign key (tenant_id, superseded_by_id) references objective_links deferrable initially deferred,
  check ((superseded_on is null) = (superseded_by_id is null)),
  check (superseded_on >= assessed_on)
);
create index objective_links_by_creation on objective_links (tenant_id, created_at, id);
create index objective_links_by_update on objective_links (tenant_id, updated_at, id);
create index objective_links_by_assessment on objective_links (tenant_id, assessed_on, id);
create index objective_links_by_partnership on objective_links (tenant_id, partnership_id, created_at, id);
create index objective_links_by_objective on objective_links (tenant_id, objective_id, created_at, id);
-- Of a partnership and an objective one link counts at a time.
create unique index objective_links_current on objective_links (tenant_id, partnership_id, objective_id)
  where superseded_by_id is null;

select protect_table('objectives');
select protect_table('objective_links', 'select, insert, update');
