-- A decision of an evaluation can open an amendment, and is carried out with it. Decisions are followed up across rounds.

alter table evaluation_decisions add unique (tenant_id, partnership_id, id);
-- The amendment that it opened last.
alter table evaluation_decisions add amendment_id uuid;
alter table evaluation_decisions add foreign key (tenant_id, partnership_id, amendment_id)
  references amendments (tenant_id, partnership_id, id);

alter table amendments add decision_id uuid;
alter table amendments add foreign key (tenant_id, partnership_id, decision_id)
  references evaluation_decisions (tenant_id, partnership_id, id);
create index amendments_by_decision on amendments (tenant_id, decision_id) where decision_id is not null;

create index evaluation_decisions_by_creation on evaluation_decisions (tenant_id, created_at, id);
create index evaluation_decisions_by_update on evaluation_decisions (tenant_id, updated_at, id);
create index evaluation_decisions_by_due on evaluation_decisions (tenant_id, (coalesce(due_on, 'infinity'::date)), id);
create index evaluation_decisions_by_status on evaluation_decisions (tenant_id, status, created_at, id);
create index evaluation_decisions_by_partnership on evaluation_decisions (tenant_id, partnership_id, created_at, id);
create index evaluation_decisions_by_owner on evaluation_decisions (tenant_id, owner_party_id, created_at, id)
  where owner_party_id is not null;
