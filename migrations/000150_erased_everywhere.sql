-- What an erasure has to reach beside the record: rows of imports that tell of persons, and those of no known kind, which
-- may. Found by these few, whatever the size of the files.
create index import_rows_of_persons on import_rows (tenant_id, import_id) where type is null or type = 'contact';

-- What was sent of persons, or refused, is not needed any more once an import is over.
update import_rows r set payload = null
from imports i
where i.tenant_id = r.tenant_id and i.id = r.import_id and i.status in ('cancelled', 'finished', 'failed')
  and r.payload is not null
  and (r.type is null or r.type = 'contact' or exists (
    select from import_results s where s.tenant_id = r.tenant_id and s.import_id = r.import_id and s.row_id = r.id
      and s.outcome in ('invalid', 'ambiguous')));

-- Statistics for the planner keep samples of what stood in a column, until they are taken anew and for ever where a table
-- was emptied. None are taken of columns that tell of persons; setting a column's type to what it is drops those there are.
alter table contacts
  alter column name type text, alter column email type text, alter column phone type text, alter column job_title type text,
  alter column sort_name type text, alter column search_text type text;
alter table contacts
  alter column name set statistics 0, alter column email set statistics 0, alter column phone set statistics 0,
  alter column job_title set statistics 0, alter column metadata set statistics 0, alter column sort_name set statistics 0,
  alter column search_text set statistics 0;
alter table import_rows alter column payload type text, alter column fault type text;
alter table import_rows alter column payload set statistics 0, alter column fault set statistics 0;

-- Of references it needs them, for without it imports are planned several times slower: an erasure has them taken anew.
create function take_samples_anew() returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  analyze external_refs (ref_id, url);
  analyze import_results (ref_id);
end
$$;
revoke all on function take_samples_anew() from public;
grant execute on function take_samples_anew() to beide_service;
