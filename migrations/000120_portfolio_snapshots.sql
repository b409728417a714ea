-- What portfolios said at the end of each month, as they said it once the month was over. Frozen: never changed.
create table portfolio_snapshots (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  organisation_id uuid not null,
  -- The month, and its last day.
  period text not null check (period ~ '^\d{4}-\d{2}$'),
  as_of date not null,
  -- As text, so that it is given as it was.
  summary json not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, organisation_id) references organisations,
  -- Whatever the number of processes that take it: one.
  unique (tenant_id, organisation_id, as_of)
);
create index portfolio_snapshots_by_period on portfolio_snapshots (tenant_id, period, id);
create index portfolio_snapshots_by_creation on portfolio_snapshots (tenant_id, created_at, id);

create table portfolio_snapshot_rows (
  tenant_id uuid not null,
  id uuid not null,
  snapshot_id uuid not null,
  period text not null,
  partnership_id uuid not null,
  is_at_risk boolean not null,
  figures json not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, snapshot_id) references portfolio_snapshots,
  foreign key (tenant_id, partnership_id) references partnerships,
  unique (tenant_id, snapshot_id, partnership_id)
);
create index portfolio_snapshot_rows_by_period on portfolio_snapshot_rows (tenant_id, period, id);
create index portfolio_snapshot_rows_by_partnership on portfolio_snapshot_rows (tenant_id, partnership_id, period, id);

select protect_table('portfolio_snapshots', 'select, insert');
select protect_table('portfolio_snapshot_rows', 'select, insert');

-- The day on which the record begins: the first state of any partnership.
create index status_changes_by_day on status_changes (tenant_id, resource_type, changed_on);
