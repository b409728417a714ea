-- Commitments, what they are worth, what they are given in return for, and the ledger of what was delivered.

create table commitments (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  from_party_id uuid not null,
  to_party_id uuid,
  kind text not null check (
    kind in (
      'cash', 'goods', 'pro_bono_services', 'volunteer_time', 'facilities', 'visibility', 'access', 'network',
      'knowledge_data', 'licence', 'other'
    )
  ),
  title text not null,
  description text,
  binding text not null check (binding in ('indicative', 'firm')),
  reciprocity text not null check (reciprocity in ('in_return', 'unconditional', 'additional')),
  motive text check (motive in ('charitable_gift', 'community_investment', 'commercial_initiative')),
  mode text not null check (mode in ('in_person', 'online', 'hybrid', 'not_applicable')),
  -- The measure: money (amount and currency) or a quantity with its unit.
  amount numeric,
  currency text,
  quantity numeric,
  unit text check (unit in ('hour', 'day', 'piece', 'ticket', 'event', 'placement', 'impression', 'person')),
  schedule jsonb,
  pause_exempt boolean not null default false,
  status text not null check (
    status in (
      'draft', 'proposed', 'declined', 'agreed', 'paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted'
    )
  ),
  close_reason text,
  closed_on date,
  agreed_on date,
  taken_over jsonb,
  metadata jsonb not null default '{}',
  search_text text not null,
  primary key (tenant_id, id),
  unique (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id) references partnerships,
  foreign key (tenant_id, partnership_id, from_party_id) references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, to_party_id) references partnership_parties (tenant_id, partnership_id, id),
  check (from_party_id <> to_party_id),
  check ((amount is null) = (currency is null)),
  check ((quantity is null) = (unit is null)),
  check ((amount is null) <> (quantity is null)),
  check (coalesce(amount, quantity) >= 0)
);
create index commitments_by_creation on commitments (tenant_id, created_at, id);
create index commitments_by_update on commitments (tenant_id, updated_at, id);
create index commitments_by_partnership on commitments (tenant_id, partnership_id, created_at, id);
create index commitments_by_status on commitments (tenant_id, status, created_at, id);
create index commitments_by_kind on commitments (tenant_id, kind, created_at, id);
create index commitments_by_promiser on commitments (tenant_id, from_party_id, created_at, id);
create index commitments_by_receiver on commitments (tenant_id, to_party_id, created_at, id);

create table commitment_valuations (
  tenant_id uuid not null,
  commitment_id uuid not null,
  position integer not null,
  amount numeric not null check (amount >= 0),
  currency text not null,
  basis text not null check (basis in ('cost_to_giver', 'fair_value', 'agreed', 'nominal')),
  declared_by text not null check (declared_by in ('giver', 'receiver', 'independent')),
  valued_on date not null,
  primary key (tenant_id, commitment_id, position),
  foreign key (tenant_id, commitment_id) references commitments on delete cascade
);

-- A commitment is given in return for commitments of the other side of the same partnership.
create table commitment_returns (
  tenant_id uuid not null,
  partnership_id uuid not null,
  commitment_id uuid not null,
  in_return_for_id uuid not null,
  position integer not null,
  primary key (tenant_id, commitment_id, in_return_for_id),
  foreign key (tenant_id, partnership_id, commitment_id) references commitments (tenant_id, partnership_id, id)
    on delete cascade,
  foreign key (tenant_id, partnership_id, in_return_for_id) references commitments (tenant_id, partnership_id, id)
);
create index commitment_returns_by_other on commitment_returns (tenant_id, in_return_for_id);

-- Append-only but for the confirmation: what was reported is reversed, never edited.
create table fulfilments (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  commitment_id uuid not null,
  delivered_on date not null,
  amount numeric,
  currency text,
  quantity numeric,
  unit text check (unit in ('hour', 'day', 'piece', 'ticket', 'event', 'placement', 'impression', 'person')),
  mode text not null check (mode in ('in_person', 'online', 'hybrid', 'not_applicable')),
  reach jsonb,
  valuations jsonb not null default '[]',
  note text,
  evidence_url text,
  reported_by_party_id uuid not null,
  confirmation text not null check (confirmation in ('reported', 'confirmed', 'disputed')),
  decided_by_party_id uuid,
  decided_on date,
  dispute_reason text,
  reversal_of uuid,
  reversal_reason text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  -- A fulfilment is reversed once at most.
  unique (tenant_id, reversal_of),
  foreign key (tenant_id, commitment_id) references commitments,
  foreign key (tenant_id, reported_by_party_id) references partnership_parties,
  foreign key (tenant_id, decided_by_party_id) references partnership_parties,
  foreign key (tenant_id, reversal_of) references fulfilments,
  check ((amount is null) = (currency is null)),
  check ((quantity is null) = (unit is null)),
  check ((amount is null) <> (quantity is null)),
  check (coalesce(amount, quantity) > 0)
);
create index fulfilments_by_commitment on fulfilments (tenant_id, commitment_id, created_at, id);
create index fulfilments_by_delivery on fulfilments (tenant_id, commitment_id, delivered_on, id);

-- Pauses of a partnership, or of one commitment of it. Intervals of one scope never overlap: checked by the command,
-- which holds the lock of the paused record.
create table pauses (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  commitment_id uuid,
  starts_on date not null,
  planned_resume_on date,
  review_on date,
  resumed_on date,
  reason text not null check (reason in ('solidarity', 'partner_request', 'disruption', 'capacity', 'safety', 'other')),
  initiated_by_party_id uuid not null,
  on_behalf_of_party_id uuid,
  note text,
  schedule_effect text not null check (schedule_effect in ('skip', 'shift', 'accrue')),
  primary key (tenant_id, id),
  foreign key (tenant_id, partnership_id) references partnerships,
  foreign key (tenant_id, partnership_id, commitment_id) references commitments (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, initiated_by_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, on_behalf_of_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  check (planned_resume_on is not null or review_on is not null),
  check (planned_resume_on > starts_on),
  check (review_on >= starts_on),
  check (resumed_on >= starts_on)
);
create index pauses_by_partnership on pauses (tenant_id, partnership_id, starts_on, id);
create index pauses_by_commitment on pauses (tenant_id, commitment_id, starts_on, id) where commitment_id is not null;
-- One pause at a time is open in a scope.
create unique index pauses_open on pauses (tenant_id, partnership_id, coalesce(commitment_id, partnership_id))
  where resumed_on is null;

select protect_table('commitments');
select protect_table('commitment_valuations');
select protect_table('commitment_returns');
select protect_table('fulfilments', 'select, insert, update');
select protect_table('pauses', 'select, insert, update');
