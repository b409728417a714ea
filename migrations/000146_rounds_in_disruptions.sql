-- A round may be held because of a disruption.
alter table evaluations
  add column disruption_id uuid,
  add foreign key (tenant_id, disruption_id) references disruptions,
  add check (disruption_id is null or kind = 'disruption');
create index evaluations_by_disruption on evaluations (tenant_id, disruption_id) where disruption_id is not null;
