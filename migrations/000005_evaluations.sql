-- Evaluation rounds: both sides answer, blind until closed; scores are frozen at closing.

create table evaluations (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  kind text not null check (kind in ('baseline', 'periodic', 'disruption', 'renewal', 'exit')),
  template_code text not null,
  template_version integer not null,
  title text,
  period_from date not null,
  period_to date not null,
  opens_at timestamptz,
  closes_at timestamptz,
  response_mode text not null check (response_mode in ('organisation')),
  status text not null check (status in ('planned', 'open', 'closed', 'concluded', 'cancelled')),
  opened_at timestamptz,
  closed_at timestamptz,
  concluded_at timestamptz,
  conclusion text,
  statements jsonb not null default '[]',
  cancel_reason text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  unique (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id) references partnerships,
  check (period_to >= period_from),
  check (closes_at > opens_at)
);
create index evaluations_by_creation on evaluations (tenant_id, created_at, id);
create index evaluations_by_update on evaluations (tenant_id, updated_at, id);
create index evaluations_by_partnership on evaluations (tenant_id, partnership_id, created_at, id);
create index evaluations_by_status on evaluations (tenant_id, status, created_at, id);
create index evaluations_by_kind on evaluations (tenant_id, kind, created_at, id);
create index evaluations_by_period on evaluations (tenant_id, period_to, id);

create table evaluation_invitations (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  evaluation_id uuid not null,
  party_id uuid not null,
  contact_id uuid,
  function text check (
    function in ('alliance_manager', 'executive_sponsor', 'operations', 'communications', 'finance', 'other')
  ),
  status text not null check (status in ('pending', 'answered', 'declined', 'expired')),
  primary key (tenant_id, id),
  foreign key (tenant_id, partnership_id, evaluation_id) references evaluations (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, party_id) references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, contact_id) references contacts
);
create index evaluation_invitations_by_evaluation on evaluation_invitations (tenant_id, evaluation_id, created_at, id);

create table evaluation_responses (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  evaluation_id uuid not null,
  party_id uuid not null,
  answers jsonb not null,
  submitted_at timestamptz not null,
  primary key (tenant_id, id),
  -- In organisation mode a party answers once, in its own name.
  unique (tenant_id, evaluation_id, party_id),
  foreign key (tenant_id, evaluation_id) references evaluations,
  foreign key (tenant_id, party_id) references partnership_parties
);

-- Frozen at closing: one row for each side and each item, dimension and the whole.
create table evaluation_scores (
  tenant_id uuid not null,
  evaluation_id uuid not null,
  side text not null check (side in ('company', 'non_profit', 'public', 'other')),
  level text not null check (level in ('item', 'dimension', 'overall')),
  code text not null,
  position integer not null,
  n integer not null,
  score numeric,
  primary key (tenant_id, evaluation_id, level, code, side),
  foreign key (tenant_id, evaluation_id) references evaluations
);

create table evaluation_decisions (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  partnership_id uuid not null,
  evaluation_id uuid not null,
  aspect text not null check (aspect in ('why', 'what', 'how')),
  decision text not null check (decision in ('continue', 'intensify', 'adapt', 'reduce', 'pause', 'end')),
  rationale text,
  due_on date,
  owner_party_id uuid,
  status text not null check (status in ('open', 'done', 'dropped')),
  primary key (tenant_id, id),
  foreign key (tenant_id, partnership_id, evaluation_id) references evaluations (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, owner_party_id)
    references partnership_parties (tenant_id, partnership_id, id)
);
create index evaluation_decisions_by_evaluation on evaluation_decisions (tenant_id, evaluation_id, created_at, id);

select protect_table('evaluations');
select protect_table('evaluation_invitations');
select protect_table('evaluation_responses', 'select, insert');
select protect_table('evaluation_scores', 'select, insert');
select protect_table('evaluation_decisions');
