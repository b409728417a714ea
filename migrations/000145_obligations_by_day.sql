-- Which evaluation an impact asked for on a day, beside its severity and response. Days before this was kept go by what
-- the impact says: null.
alter table impact_days add column evaluation_obligation text, add column evaluation_due_on date;

create or replace function note_impact_day() returns trigger
  language plpgsql
  as $$
begin
  insert into impact_days
    (tenant_id, impact_id, day, severity, response, response_due_on, evaluation_obligation, evaluation_due_on)
  select new.tenant_id, new.id, (new.updated_at at time zone p.time_zone)::date, new.severity, new.response,
    new.response_due_on, new.evaluation_obligation, new.evaluation_due_on
  from partnerships p where p.tenant_id = new.tenant_id and p.id = new.partnership_id
  on conflict (tenant_id, impact_id, day) do update
    set severity = excluded.severity, response = excluded.response, response_due_on = excluded.response_due_on,
      evaluation_obligation = excluded.evaluation_obligation, evaluation_due_on = excluded.evaluation_due_on;
  return null;
end
$$;
