-- What takes the place of a promise that cannot be kept as it was made: a make-good that both sides accept.

create table substitutions (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  replaces_commitment_id uuid not null,
  by_commitment_id uuid not null,
  -- The part that is replaced: money (amount and currency) or a quantity with its unit.
  amount numeric,
  currency text,
  quantity numeric,
  unit text check (unit in ('hour', 'day', 'piece', 'ticket', 'event', 'placement', 'impression', 'person')),
  instalment_seq integer,
  reason text not null,
  disruption_id uuid,
  value_difference jsonb,
  status text not null check (status in ('proposed', 'accepted', 'rejected', 'withdrawn')),
  proposed_by_party_id uuid not null,
  proposed_on date not null,
  decided_by_party_id uuid,
  decision_recorded_by_party_id uuid,
  decided_on date,
  decision_note text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  foreign key (tenant_id, partnership_id, replaces_commitment_id)
    references commitments (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, by_commitment_id) references commitments (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, proposed_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, decided_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, disruption_id) references disruptions,
  check (replaces_commitment_id <> by_commitment_id),
  check ((amount is null) = (currency is null)),
  check ((quantity is null) = (unit is null)),
  check ((amount is null) <> (quantity is null)),
  check (coalesce(amount, quantity) > 0),
  check ((status = 'proposed') = (decided_on is null))
);
create index substitutions_by_creation on substitutions (tenant_id, created_at, id);
create index substitutions_by_update on substitutions (tenant_id, updated_at, id);
create index substitutions_by_partnership on substitutions (tenant_id, partnership_id, created_at, id);
create index substitutions_by_replaced on substitutions (tenant_id, replaces_commitment_id, created_at, id);
create index substitutions_by_replacement on substitutions (tenant_id, by_commitment_id, created_at, id);
create index substitutions_by_status on substitutions (tenant_id, status, created_at, id);
create index substitutions_by_disruption on substitutions (tenant_id, disruption_id, created_at, id);

select protect_table('substitutions', 'select, insert, update');
