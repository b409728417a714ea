-- Partnerships: parties, their assents, managers and pauses.

create table partnerships (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null,
  reference text,
  relationship_type text check (relationship_type in ('philanthropic', 'transactional', 'integrative', 'transformational')),
  stage text check (
    stage in (
      'operational_awareness', 'knowledge', 'internal_assessment', 'partner_selection',
      'working_together', 'value_creation', 'staying_together', 'exit_strategy'
    )
  ),
  purpose jsonb not null default '{}',
  starts_on date,
  ends_on date,
  signed_on date,
  notice_period text,
  evaluation_interval text not null,
  evaluation_interval_reason text,
  base_currency text not null,
  time_zone text not null,
  crisis_protocol text,
  predecessor_id uuid,
  sdg_targets text[] not null default '{}',
  cross_sector_exception text,
  reciprocity_waiver text,
  exit_evaluation_waiver text,
  status text not null check (status in ('draft', 'proposed', 'declined', 'active', 'paused', 'ending', 'ended')),
  end_reason text check (
    end_reason in ('completed', 'not_renewed', 'strategy_changed', 'disruption', 'breach', 'merged', 'other')
  ),
  decline_reason text,
  taken_over jsonb,
  metadata jsonb not null default '{}',
  sort_name text not null,
  search_text text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, predecessor_id) references partnerships,
  check (predecessor_id <> id),
  check (ends_on is null or starts_on is null or ends_on >= starts_on)
);
create index partnerships_by_creation on partnerships (tenant_id, created_at, id);
create index partnerships_by_update on partnerships (tenant_id, updated_at, id);
create index partnerships_by_name on partnerships (tenant_id, sort_name, id);
create index partnerships_by_status on partnerships (tenant_id, status, created_at, id);
create index partnerships_by_start on partnerships (tenant_id, (coalesce(starts_on, 'infinity'::date)), id);
create index partnerships_by_end on partnerships (tenant_id, (coalesce(ends_on, 'infinity'::date)), id);
create index partnerships_by_relationship on partnerships (tenant_id, relationship_type, created_at, id);
create index partnerships_by_stage on partnerships (tenant_id, stage, created_at, id);
create index partnerships_by_predecessor on partnerships (tenant_id, predecessor_id) where predecessor_id is not null;

create table partnership_parties (
  tenant_id uuid not null,
  id uuid not null,
  partnership_id uuid not null,
  organisation_id uuid not null,
  side text not null check (side in ('company', 'non_profit', 'public', 'other')),
  role text not null check (role in ('lead', 'partner', 'supporter')),
  joined_on date,
  left_on date,
  -- The party's assent to the proposal in hand.
  assented_on date,
  assent_recorded_by_party_id uuid,
  assent_note text,
  position integer not null,
  primary key (tenant_id, id),
  unique (tenant_id, partnership_id, organisation_id),
  unique (tenant_id, partnership_id, id),
  foreign key (tenant_id, partnership_id) references partnerships on delete cascade,
  foreign key (tenant_id, organisation_id) references organisations,
  check (left_on is null or joined_on is null or left_on >= joined_on)
);
create index partnership_parties_by_organisation on partnership_parties (tenant_id, organisation_id, partnership_id);

create table partnership_managers (
  tenant_id uuid not null,
  partnership_id uuid not null,
  party_id uuid not null,
  contact_id uuid not null,
  position integer not null,
  primary key (tenant_id, partnership_id, party_id, contact_id),
  foreign key (tenant_id, partnership_id, party_id) references partnership_parties (tenant_id, partnership_id, id)
    on delete cascade,
  foreign key (tenant_id, contact_id) references contacts
);
create index partnership_managers_by_contact on partnership_managers (tenant_id, contact_id);

select protect_table('partnerships');
select protect_table('partnership_parties');
select protect_table('partnership_managers');
