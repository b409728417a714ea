-- A pause may answer a disruption.

alter table pauses
  add column disruption_id uuid,
  add foreign key (tenant_id, disruption_id) references disruptions;
create index pauses_by_disruption on pauses (tenant_id, disruption_id) where disruption_id is not null;
