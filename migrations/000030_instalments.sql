-- Instalments: the parts of a commitment, when each falls due, and what became of it under pauses and deliveries.

create table instalments (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  commitment_id uuid not null,
  -- Counted on when a plan is replaced: a number means one instalment for ever.
  seq integer not null check (seq >= 1),
  -- The days between which it belongs to the plan: a new plan takes the place of what was not settled.
  made_on date not null,
  superseded_on date,
  -- How the due dates of its plan repeat, which a shift keeps: by the day of the month, by the weekday, or by neither.
  anchor_day integer check (anchor_day between 1 and 31),
  keeps_weekday boolean not null,
  original_due_on date,
  due_on date,
  measure numeric not null check (measure >= 0),
  -- What accepted substitutions took of it.
  replaced numeric not null default 0 check (replaced >= 0 and replaced <= measure),
  settled numeric not null default 0 check (settled >= 0 and settled <= measure),
  state text not null check (state in ('scheduled', 'skipped', 'settled', 'void')),
  -- Touched by a pause that has not ended: not due until it does.
  is_suspended boolean not null default false,
  -- Where it stood before a reversal let a pause take it, and until when: what as-of figures of those days need.
  held_due_on date,
  held_until date,
  primary key (tenant_id, id),
  unique (tenant_id, commitment_id, seq),
  foreign key (tenant_id, commitment_id) references commitments on delete cascade,
  check (anchor_day is null or not keeps_weekday),
  check ((due_on is null) = (original_due_on is null)),
  check ((held_due_on is null) = (held_until is null))
);
create index instalments_by_due on instalments (tenant_id, (coalesce(due_on, 'infinity'::date)), id);
create index instalments_by_commitment_due on instalments
  (tenant_id, commitment_id, (coalesce(due_on, 'infinity'::date)), id);
create index instalments_by_state on instalments (tenant_id, state, (coalesce(due_on, 'infinity'::date)), id);

-- What accepted substitutions took of an instalment, and since when.
create table instalment_reductions (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  commitment_id uuid not null,
  seq integer not null,
  measure numeric not null check (measure > 0),
  reduced_on date not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, commitment_id, seq) references instalments (tenant_id, commitment_id, seq) on delete cascade
);
create index instalment_reductions_by_instalment on instalment_reductions (tenant_id, commitment_id, seq);

-- The commitments that a pause holds up: which ones is decided when it begins.
create table commitment_pauses (
  tenant_id uuid not null,
  pause_id uuid not null,
  commitment_id uuid not null,
  -- Where it went on before the pause ended for the others.
  resumed_on date,
  primary key (tenant_id, pause_id, commitment_id),
  foreign key (tenant_id, pause_id) references pauses,
  foreign key (tenant_id, commitment_id) references commitments on delete cascade
);
create index commitment_pauses_by_commitment on commitment_pauses (tenant_id, commitment_id);

-- The instalment for which a delivery was reported; without one it settles in order.
alter table fulfilments add column instalment_seq integer check (instalment_seq >= 1);

-- What of a commitment is not owed any more: skipped by pauses, replaced by substitutions. Kept beside the commitment,
-- for it is read with each of them.
alter table commitments
  add column skipped numeric not null default 0,
  add column replaced numeric not null default 0;

select protect_table('instalments');
select protect_table('instalment_reductions', 'select, insert');
select protect_table('commitment_pauses');
