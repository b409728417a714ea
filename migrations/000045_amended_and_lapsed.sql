-- Measures of a past day ask for the terms of that day, though only of what was ever amended; and a promise lapses by a
-- disruption as well as by words.

alter table commitments
  add column is_amended boolean not null default false,
  add column disruption_id uuid,
  add foreign key (tenant_id, disruption_id) references disruptions;
update commitments c set is_amended = true where exists (
  select from term_versions v
  where v.tenant_id = c.tenant_id and v.resource_type = 'commitment' and v.resource_id = c.id);
create index commitments_by_disruption on commitments (tenant_id, disruption_id, created_at, id)
  where disruption_id is not null;

alter table status_changes add column disruption_id uuid;
