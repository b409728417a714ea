-- What a portfolio is judged by: the thresholds of a tenant, and what undated columns were on earlier days, so that an
-- answer about a day is the answer that was given on that day.

create table thresholds (
  tenant_id uuid not null unique references tenants,
  id uuid not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Null: as the service has it.
  late_days integer check (late_days between 0 and 3650),
  late_percent integer check (late_percent between 0 and 100),
  dimension_score integer check (dimension_score between 0 and 100),
  score_gap integer check (score_gap between 0 and 100),
  evaluation_overdue_days integer check (evaluation_overdue_days between 0 and 3650),
  fit integer check (fit between 0 and 100),
  ending_days integer check (ending_days between 0 and 3650),
  primary key (tenant_id, id)
);

create table partnership_days (
  tenant_id uuid not null,
  partnership_id uuid not null,
  -- From this day on, where the partnership is.
  day date not null,
  ends_on date,
  evaluation_interval text not null,
  -- The parties that have a manager.
  managed uuid[] not null,
  primary key (tenant_id, partnership_id, day),
  foreign key (tenant_id, partnership_id) references partnerships on delete cascade
);

create table objective_days (
  tenant_id uuid not null,
  objective_id uuid not null,
  -- In UTC: an organisation has no time zone.
  day date not null,
  importance smallint not null,
  primary key (tenant_id, objective_id, day),
  foreign key (tenant_id, objective_id) references objectives on delete cascade
);

create table impact_days (
  tenant_id uuid not null,
  impact_id uuid not null,
  -- Where the partnership is.
  day date not null,
  severity text not null,
  response text not null,
  response_due_on date,
  primary key (tenant_id, impact_id, day),
  foreign key (tenant_id, impact_id) references disruption_impacts on delete cascade
);

-- Kept by the database itself, so that no command can forget it. At the end of the transaction, for managers are rows
-- of their own, which are written beside the partnership's.
create function note_partnership_day() returns trigger
  language plpgsql
  as $$
begin
  insert into partnership_days as d (tenant_id, partnership_id, day, ends_on, evaluation_interval, managed)
  select p.tenant_id, p.id, (p.updated_at at time zone p.time_zone)::date, p.ends_on, p.evaluation_interval,
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

create function note_objective_day() returns trigger
  language plpgsql
  as $$
begin
  insert into objective_days (tenant_id, objective_id, day, importance)
  values (new.tenant_id, new.id, (new.updated_at at time zone 'UTC')::date, new.importance)
  on conflict (tenant_id, objective_id, day) do update set importance = excluded.importance;
  return null;
end
$$;

create function note_impact_day() returns trigger
  language plpgsql
  as $$
begin
  insert into impact_days (tenant_id, impact_id, day, severity, response, response_due_on)
  select new.tenant_id, new.id, (new.updated_at at time zone p.time_zone)::date, new.severity, new.response,
    new.response_due_on
  from partnerships p where p.tenant_id = new.tenant_id and p.id = new.partnership_id
  on conflict (tenant_id, impact_id, day) do update
    set severity = excluded.severity, response = excluded.response, response_due_on = excluded.response_due_on;
  return null;
end
$$;

create constraint trigger noted_by_day after insert or update on partnerships
  deferrable initially deferred for each row execute function note_partnership_day();
create trigger noted_by_day after insert or update on objectives for each row execute function note_objective_day();
create trigger noted_by_day after insert or update on disruption_impacts
  for each row execute function note_impact_day();

select protect_table('thresholds', 'select, insert, update');
select protect_table('partnership_days', 'select, insert, update');
select protect_table('objective_days', 'select, insert, update');
select protect_table('impact_days', 'select, insert, update');
