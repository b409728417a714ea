-- Disruptions, and what they do to partnerships.

create table disruptions (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  title text not null,
  description text,
  type text not null check (
    type in (
      'pandemic', 'natural_disaster', 'conflict', 'economic', 'regulatory', 'reputational', 'organisational', 'cyber',
      'other'
    )
  ),
  glide_number text,
  countries text[] not null default '{}',
  sectors text[] not null default '{}',
  started_on date not null,
  ended_on date,
  status text not null check (status in ('watch', 'active', 'recovering', 'over')),
  metadata jsonb not null default '{}',
  sort_title text not null,
  search_text text not null,
  primary key (tenant_id, id),
  check (ended_on >= started_on),
  check ((status = 'over') = (ended_on is not null))
);
create index disruptions_by_creation on disruptions (tenant_id, created_at, id);
create index disruptions_by_update on disruptions (tenant_id, updated_at, id);
create index disruptions_by_title on disruptions (tenant_id, sort_title, id);
create index disruptions_by_start on disruptions (tenant_id, started_on, id);
create index disruptions_by_status on disruptions (tenant_id, status, created_at, id);
create index disruptions_by_type on disruptions (tenant_id, type, created_at, id);

create table disruption_impacts (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  disruption_id uuid not null,
  partnership_id uuid not null,
  hit_party_id uuid,
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  effects text[] not null,
  assessed_on date not null,
  note text,
  response text not null check (
    response in ('none_needed', 'step_back', 'pause', 'substitute', 'extra_support', 'renegotiate', 'end')
  ),
  response_due_on date,
  responded_on date,
  -- What carried the response out.
  response_pause_id uuid,
  response_commitment_id uuid,
  response_evaluation_id uuid,
  -- A high impact on an active partnership asks for an evaluation by this day, or for a reason why not.
  evaluation_obligation text not null check (evaluation_obligation in ('none', 'open', 'met', 'waived')),
  evaluation_due_on date,
  evaluation_waiver text,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  foreign key (tenant_id, disruption_id) references disruptions,
  foreign key (tenant_id, partnership_id) references partnerships,
  foreign key (tenant_id, partnership_id, hit_party_id)
    references partnership_parties (tenant_id, partnership_id, id),
  foreign key (tenant_id, response_pause_id) references pauses,
  foreign key (tenant_id, partnership_id, response_commitment_id)
    references commitments (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id, response_evaluation_id)
    references evaluations (tenant_id, partnership_id, id),
  check (response_due_on >= assessed_on),
  check (responded_on >= assessed_on),
  check ((evaluation_obligation = 'none') = (evaluation_due_on is null))
);
create index disruption_impacts_by_creation on disruption_impacts (tenant_id, created_at, id);
create index disruption_impacts_by_update on disruption_impacts (tenant_id, updated_at, id);
create index disruption_impacts_by_assessment on disruption_impacts (tenant_id, assessed_on, id);
create index disruption_impacts_by_due on disruption_impacts (tenant_id, (coalesce(response_due_on, 'infinity'::date)), id);
create index disruption_impacts_by_partnership on disruption_impacts (tenant_id, partnership_id, created_at, id);
create index disruption_impacts_by_disruption on disruption_impacts (tenant_id, disruption_id, created_at, id);
-- A disruption hits each party of a partnership, or the partnership as a whole, once.
create unique index disruption_impacts_once on disruption_impacts
  (tenant_id, disruption_id, partnership_id, coalesce(hit_party_id, partnership_id));

select protect_table('disruptions');
select protect_table('disruption_impacts');
