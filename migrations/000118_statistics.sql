-- A table that grows from nothing to thousands of rows within a minute has no statistics of them until the server comes
-- round to it, and statements are planned as if it were small: an index of the tenant seems as good as one of the row.
-- Takes the statistics of the tables that an import fills and that have grown fourfold since they were last taken.
create function take_statistics() returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  name regclass;
begin
  for name in
    select c.oid::regclass from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname = any (array['organisations',
      'organisation_identifiers', 'external_refs', 'contacts', 'partnerships', 'partnership_parties', 'commitments',
      'commitment_valuations', 'fulfilments', 'instalments', 'status_changes', 'events', 'audit_entries', 'import_rows',
      'import_results'])
      and pg_relation_size(c.oid) > 4 * current_setting('block_size')::bigint * greatest(c.relpages, 4)
  loop
    execute format('analyze (skip_locked) %s', name);
  end loop;
end
$$;
revoke all on function take_statistics() from public;
grant execute on function take_statistics() to beide_service;
