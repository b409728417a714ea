-- Exports: files of whole tables that a job makes of one snapshot, kept for a while.

create table exports (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  tables text[] not null,
  format text not null check (format in ('csv', 'ndjson', 'parquet')),
  dialect text not null check (dialect in ('rfc4180', 'excel')),
  compression text not null check (compression in ('none', 'gzip', 'zstd')),
  -- By table, as they were asked for.
  filters jsonb not null,
  changed_since_sequence bigint,
  status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')),
  -- Counts the tries: what an earlier one left behind, or still writes, is not a part of the export.
  attempt integer not null default 0,
  rows_expected bigint,
  rows_done bigint not null default 0,
  as_of timestamptz,
  sequence bigint,
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  failure text,
  primary key (tenant_id, id)
);
create index exports_by_creation on exports (tenant_id, created_at, id);
create index exports_by_status on exports (tenant_id, status, created_at, id);
create index exports_by_expiry on exports (expires_at) where status = 'succeeded';

-- What is offered: written together with the success, and not before.
create table export_files (
  tenant_id uuid not null,
  export_id uuid not null,
  position integer not null,
  name text not null,
  -- Null for the manifest.
  table_name text,
  media_type text not null,
  rows bigint,
  bytes bigint not null,
  sha256 text not null,
  primary key (tenant_id, export_id, name),
  foreign key (tenant_id, export_id) references exports on delete cascade
);

-- The bytes of files, in pieces of one mebibyte, so that a range is found by reckoning.
create table export_chunks (
  tenant_id uuid not null,
  export_id uuid not null,
  attempt integer not null,
  name text not null,
  seq integer not null,
  bytes bytea not null,
  primary key (tenant_id, export_id, attempt, name, seq),
  foreign key (tenant_id, export_id) references exports on delete cascade
);
-- What can be made smaller is so before it comes here.
alter table export_chunks alter column bytes set storage external;

select protect_table('exports', 'select, insert, update');
select protect_table('export_files', 'select, insert');
select protect_table('export_chunks', 'select, insert, delete');
create policy set_up on exports to current_user using (true) with check (true);
create policy set_up on export_files to current_user using (true) with check (true);
create policy set_up on export_chunks to current_user using (true) with check (true);

-- Removes the files of exports whose time is over, whichever tenant they are of. Returns how many exports.
create function expire_exports(at timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  old record;
  removed integer := 0;
begin
  for old in
    select tenant_id, id from exports where status = 'succeeded' and expires_at <= at order by expires_at limit batch
    for update skip locked
  loop
    delete from export_chunks c where c.tenant_id = old.tenant_id and c.export_id = old.id;
    delete from export_files f where f.tenant_id = old.tenant_id and f.export_id = old.id;
    update exports e set status = 'expired', version = version + 1, updated_at = at
      where e.tenant_id = old.tenant_id and e.id = old.id;
    removed := removed + 1;
  end loop;
  return removed;
end
$$;
revoke all on function expire_exports(timestamptz, integer) from public;
grant execute on function expire_exports(timestamptz, integer) to beide_service;
