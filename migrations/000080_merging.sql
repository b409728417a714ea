-- Merging of organisations: what points at an organisation never comes to point at one that was merged away.

-- A writer that read the organisation before the merge was committed waits here for it, and is then done again from the
-- beginning: it finds the survivor, or is told of it.
create function refuse_merged() returns trigger
  language plpgsql
  as $$
declare
  named uuid;
  is_merged boolean;
begin
  if tg_table_name = 'organisations' then
    named := new.parent_id;
  else
    named := new.organisation_id;
  end if;
  select o.merged_into_id is not null into is_merged
    from organisations o where o.tenant_id = new.tenant_id and o.id = named for key share;
  if is_merged then
    raise exception 'The organisation % was merged into another', named using errcode = 'serialization_failure';
  end if;
  return new;
end
$$;

create trigger of_the_living before insert or update of parent_id on organisations
  for each row when (new.parent_id is not null) execute function refuse_merged();
create trigger of_the_living before insert or update of organisation_id on contacts
  for each row execute function refuse_merged();
create trigger of_the_living before insert or update of organisation_id on partnership_parties
  for each row execute function refuse_merged();
create trigger of_the_living before insert or update of organisation_id on objectives
  for each row execute function refuse_merged();
