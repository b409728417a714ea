-- The terms of the commitment that would take the place of another, as they stood when that was proposed: what both sides
-- look at. Of proposals from before they were kept none are known.
alter table substitutions add column by_terms jsonb;

-- As for partnerships and impacts: what was written last counts, also where the clock went back past midnight.
create or replace function note_objective_day() returns trigger
  language plpgsql
  as $$
begin
  insert into objective_days (tenant_id, objective_id, day, importance)
  values (new.tenant_id, new.id,
    greatest((new.updated_at at time zone 'UTC')::date, (
      select max(b.day) from objective_days b where b.tenant_id = new.tenant_id and b.objective_id = new.id)),
    new.importance)
  on conflict (tenant_id, objective_id, day) do update set importance = excluded.importance;
  return null;
end
$$;

-- Removes imports that were begun before an instant and are over, or never came to be, and those of three weeks earlier
-- that never ended. Returns how many.
create or replace function expire_imports(before timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  removed integer;
begin
  delete from imports i using (
    select tenant_id, id from imports
    where created_at < before
      and (status not in ('queued', 'running', 'cancelling') or created_at < before - interval '21 days')
    order by created_at limit batch
  ) old
  where i.tenant_id = old.tenant_id and i.id = old.id;
  get diagnostics removed = row_count;
  return removed;
end
$$;
