-- What stands on a day is the last that was written, also where a partnership came to be in a time zone in which it still
-- is the day before: without this the row of the later day would win.

create or replace function note_partnership_day() returns trigger
  language plpgsql
  as $$
begin
  insert into partnership_days as d (tenant_id, partnership_id, day, ends_on, evaluation_interval, managed)
  select p.tenant_id, p.id,
    greatest((p.updated_at at time zone p.time_zone)::date, (
      select max(b.day) from partnership_days b where b.tenant_id = p.tenant_id and b.partnership_id = p.id)),
    p.ends_on, p.evaluation_interval,
    array(select distinct m.party_id from partnership_managers m
      where m.tenant_id = p.tenant_id and m.partnership_id = p.id order by 1)
  from partnerships p where p.tenant_id = new.tenant_id and p.id = new.id
  on conflict (tenant_id, partnership_id, day) do update
    set ends_on = excluded.ends_on, evaluation_interval = excluded.evaluation_interval, managed = excluded.managed
    where (d.ends_on, d.evaluation_interval, d.managed)
      is distinct from (excluded.ends_on, excluded.evaluation_interval, excluded.managed);
  return null;
end
$$;

create or replace function note_impact_day() returns trigger
  language plpgsql
  as $$
begin
  insert into impact_days
    (tenant_id, impact_id, day, severity, response, response_due_on, evaluation_obligation, evaluation_due_on)
  select new.tenant_id, new.id,
    greatest((new.updated_at at time zone p.time_zone)::date, (
      select max(b.day) from impact_days b where b.tenant_id = new.tenant_id and b.impact_id = new.id)),
    new.severity, new.response, new.response_due_on, new.evaluation_obligation, new.evaluation_due_on
  from partnerships p where p.tenant_id = new.tenant_id and p.id = new.partnership_id
  on conflict (tenant_id, impact_id, day) do update
    set severity = excluded.severity, response = excluded.response, response_due_on = excluded.response_due_on,
      evaluation_obligation = excluded.evaluation_obligation, evaluation_due_on = excluded.evaluation_due_on;
  return null;
end
$$;
