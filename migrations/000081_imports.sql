-- Imports: files of rows that are staged as they arrive and worked through by a job.

create table imports (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  format text not null check (format in ('ndjson', 'csv', '360giving')),
  -- The kind of every row; none where each row says its own.
  type text check (type in ('organisation', 'contact', 'partnership', 'commitment', 'fulfilment')),
  dry_run boolean not null,
  all_or_nothing boolean not null,
  status text not null check (
    status in ('uploading', 'queued', 'running', 'cancelling', 'cancelled', 'finished', 'failed')
  ),
  failure text,
  -- On whose behalf, and with what rights, the rows are written.
  actor json not null,
  scopes text[] not null,
  -- What the file says as a whole, such as the day of its newest row.
  facts jsonb not null default '{}',
  -- How far the job is: kinds in turn, and rounds over the rows that wait for others. It goes on behind `done_to`.
  phase smallint not null default 0,
  round integer not null default 1,
  done_to uuid,
  settled_in_round integer not null default 0,
  rows_read integer not null default 0,
  rows_done integer not null default 0,
  created integer not null default 0,
  updated integer not null default 0,
  unchanged integer not null default 0,
  ambiguous integer not null default 0,
  invalid integer not null default 0,
  waiting integer not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create index imports_by_creation on imports (tenant_id, created_at, id);
create index imports_by_status on imports (tenant_id, status, created_at, id);

-- Rows as they were sent. In the order of phases they are worked through, in that of lines they are listed.
create table import_rows (
  tenant_id uuid not null,
  id uuid not null,
  import_id uuid not null,
  phase smallint not null,
  line integer not null,
  -- Null where the row does not say, or says one that is not known.
  type text,
  payload text,
  -- Why the row cannot be read at all.
  fault text,
  remarks text,
  primary key (tenant_id, import_id, phase, id),
  foreign key (tenant_id, import_id) references imports on delete cascade
);
create index import_rows_by_line on import_rows (tenant_id, import_id, line, id);

-- What became of a row. Written in the transaction of its effect, so that a crash leaves both or neither.
create table import_results (
  tenant_id uuid not null,
  import_id uuid not null,
  row_id uuid not null,
  outcome text not null check (
    outcome in ('created', 'updated', 'unchanged', 'ambiguous', 'invalid', 'waiting')
  ),
  ref_system text,
  ref_id text,
  resource_id uuid,
  faults json,
  candidates uuid[],
  primary key (tenant_id, import_id, row_id),
  foreign key (tenant_id, import_id) references imports on delete cascade
);
create index import_results_by_outcome on import_results (tenant_id, import_id, outcome, row_id);

select protect_table('imports');
select protect_table('import_rows');
select protect_table('import_results');
create policy set_up on imports to current_user using (true) with check (true);
create policy set_up on import_rows to current_user using (true) with check (true);
create policy set_up on import_results to current_user using (true) with check (true);

-- Removes imports that were begun before an instant and are over, or never came to be. Returns how many.
create function expire_imports(before timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  removed integer;
begin
  delete from imports i using (
    select tenant_id, id from imports
    where created_at < before and status not in ('queued', 'running', 'cancelling') order by created_at limit batch
  ) old
  where i.tenant_id = old.tenant_id and i.id = old.id;
  get diagnostics removed = row_count;
  return removed;
end
$$;
revoke all on function expire_imports(timestamptz, integer) from public;
grant execute on function expire_imports(timestamptz, integer) to beide_service;
