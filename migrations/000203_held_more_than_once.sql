-- What was due and what was skipped by a day that is past.

alter table instalments
  -- Several reversals may each move an instalment: what counted on a day between them is not what the last one left. All
  -- places where it stood are kept in their order, each with the day until which it stood there: `held_until` is the last.
  add column held jsonb not null default '[]',
  -- What is due in a pause that skips is skipped on that day, however long the pause then lasts: not when it ends.
  add column skipped_on date;
alter table instalments no force row level security;
alter table commitment_pauses no force row level security;
alter table pauses no force row level security;
update instalments set held = jsonb_build_array(jsonb_build_object(
  'until', held_until, 'due_on', held_due_on, 'skipped_on', null))
where held_until is not null;
update instalments i set skipped_on = i.due_on
where i.state = 'skipped' or (i.is_suspended and exists (
  select from commitment_pauses cp join pauses p on p.tenant_id = cp.tenant_id and p.id = cp.pause_id
  where cp.tenant_id = i.tenant_id and cp.commitment_id = i.commitment_id and p.schedule_effect = 'skip'
    and cp.resumed_on is null and p.resumed_on is null and i.due_on >= p.starts_on));
alter table pauses force row level security;
alter table commitment_pauses force row level security;
alter table instalments force row level security;
alter table instalments
  drop column held_due_on,
  add check ((held_until is null) = (held = '[]')),
  add check (state <> 'skipped' or due_on is not null);
