-- Who agreed to a commitment, and who recorded that; what was noted when a fulfilment was decided on; the ledger as a list.

alter table commitments
  add column agreed_by_party_id uuid,
  add column agreement_recorded_by_party_id uuid,
  add column agreement_note text,
  add foreign key (tenant_id, partnership_id, agreed_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  add foreign key (tenant_id, partnership_id, agreement_recorded_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id);

alter table fulfilments add column decision_note text;

create index fulfilments_by_creation on fulfilments (tenant_id, created_at, id);
create index fulfilments_by_update on fulfilments (tenant_id, updated_at, id);
create index fulfilments_by_day on fulfilments (tenant_id, delivered_on, id);
create index fulfilments_by_confirmation on fulfilments (tenant_id, confirmation, created_at, id);
create index fulfilments_by_commitment_update on fulfilments (tenant_id, commitment_id, updated_at, id);
create index commitments_by_reciprocity on commitments (tenant_id, reciprocity, created_at, id);
