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
alter table import_results alter column ref_id type text;
alter table import_results alter column ref_id set statistics 0, alter column faults set statistics 0;
alter table external_refs alter column ref_id type text, alter column url type text;
alter table external_refs alter column ref_id set statistics 0, alter column url set statistics 0;
