-- Rounds in which an organisation judges itself: how ready it is for alliances. A round has one subject, a partnership or
-- an organisation, and everything of it has the same.

alter table evaluations alter partnership_id drop not null;
alter table evaluations add organisation_id uuid;
-- As which side the organisation answers: by its sector, frozen when the round opens.
alter table evaluations add organisation_side text
  check (organisation_side in ('company', 'non_profit', 'public', 'other'));
alter table evaluations add foreign key (tenant_id, organisation_id) references organisations;
alter table evaluations add unique (tenant_id, organisation_id, id);
alter table evaluations drop constraint evaluations_kind_check;
alter table evaluations add check (kind in ('baseline', 'periodic', 'disruption', 'renewal', 'exit', 'readiness'));
alter table evaluations add check (num_nonnulls(partnership_id, organisation_id) = 1);
alter table evaluations add check ((kind = 'readiness') = (organisation_id is not null));
alter table evaluations add check (num_nonnulls(organisation_id, organisation_side) in (0, 2));
create index evaluations_by_organisation on evaluations (tenant_id, organisation_id, created_at, id)
  where organisation_id is not null;
create trigger of_the_living before insert or update of organisation_id on evaluations
  for each row when (new.organisation_id is not null) execute function refuse_merged();

-- What belongs to a round of an organisation moves with it where the organisation is merged into another.
alter table evaluation_invitations alter partnership_id drop not null;
alter table evaluation_invitations alter party_id drop not null;
alter table evaluation_invitations add organisation_id uuid;
alter table evaluation_invitations add check (num_nonnulls(partnership_id, organisation_id) = 1);
alter table evaluation_invitations add check (num_nonnulls(partnership_id, party_id) in (0, 2));
alter table evaluation_invitations add foreign key (tenant_id, organisation_id, evaluation_id)
  references evaluations (tenant_id, organisation_id, id) on update cascade;

alter table evaluation_decisions alter partnership_id drop not null;
alter table evaluation_decisions add organisation_id uuid;
alter table evaluation_decisions add check (num_nonnulls(partnership_id, organisation_id) = 1);
-- An organisation sees to its own decisions, and no agreement hangs on them.
alter table evaluation_decisions add check (partnership_id is not null or num_nonnulls(owner_party_id, amendment_id) = 0);
alter table evaluation_decisions add foreign key (tenant_id, organisation_id, evaluation_id)
  references evaluations (tenant_id, organisation_id, id) on update cascade;
create index evaluation_decisions_by_organisation on evaluation_decisions (tenant_id, organisation_id, created_at, id)
  where organisation_id is not null;

-- The answers of an organisation to a round of its own are those of no party: once a round, too.
alter table evaluation_responses alter party_id drop not null;
create unique index evaluation_responses_of_organisation on evaluation_responses (tenant_id, evaluation_id)
  where party_id is null;

-- Partners see the rounds of their own organisations, and of no other, not even of those that they are allied with.
create function of_partner_round(partnership text, organisation text, came_at text) returns text
  language sql immutable
  as $$
  select format('(%s or %s = any ((select partner_own())::uuid[]))', within_reach(partnership, came_at), organisation)
$$;

do $$
declare
  shown text := 'exists (select from evaluations e where e.tenant_id = %1$s.tenant_id and e.id = %1$s.evaluation_id and '
    || of_partner_round('e.partnership_id', 'e.organisation_id', 'e.closed_at') || ')';
  name text;
begin
  foreach name in array array['evaluation_scores', 'evaluation_responses', 'evaluation_texts'] loop
    execute format('alter policy of_partner on %I using (%s)', name, format(shown, name));
  end loop;
  foreach name in array array['evaluations', 'evaluation_decisions'] loop
    execute format('alter policy of_partner on %I using (%s)', name,
      of_partner_round('partnership_id', 'organisation_id', 'created_at'));
  end loop;
  execute format('alter policy of_partner on evaluation_invitations using (%s)',
    'party_id = any ((select partner_parties())::uuid[]) and ' || within_reach('partnership_id', 'created_at')
      || ' or organisation_id = any ((select partner_own())::uuid[])');
end
$$;

do $$
begin
  execute format('alter policy of_partner on status_changes using (%s)', $policy$case resource_type
  when 'partnership' then $policy$ || within_reach('resource_id', 'changed_at') || $policy$
  when 'commitment' then exists (
    select from commitments c where c.tenant_id = status_changes.tenant_id and c.id = status_changes.resource_id
      and $policy$ || within_reach('c.partnership_id', 'status_changes.changed_at') || $policy$)
  when 'evaluation' then exists (
    select from evaluations e where e.tenant_id = status_changes.tenant_id and e.id = status_changes.resource_id
      and $policy$ || of_partner_round('e.partnership_id', 'e.organisation_id', 'status_changes.changed_at') || $policy$)
  else false end$policy$);
end
$$;

do $$
declare
  mine text := within_reach('k.partnership_id', 'events.occurred_at');
  round text := of_partner_round('k.partnership_id', 'k.organisation_id', 'events.occurred_at');
begin
  execute format('alter policy of_partner on events using (%s)', format($policy$(representation ->> 'status') is distinct from 'draft' and case resource_type
    when 'organisation' then resource_id = any ((select partner_organisations())::uuid[])
    when 'partnership' then %s
    when 'commitment' then %s
    when 'pause' then %s
    when 'fulfilment' then %s
    when 'amendment' then %s
    when 'substitution' then %s
    when 'evaluation' then %s
    when 'evaluation_invitation' then %s
    when 'evaluation_decision' then %s
    when 'objective' then %s
    when 'objective_link' then %s
    else false end$policy$,
    within_reach('resource_id', 'occurred_at'),
    partner_event('commitments', mine),
    partner_event('pauses', mine),
    partner_event('fulfilments', 'exists (select from commitments c where c.tenant_id = k.tenant_id and c.id = k.commitment_id and '
      || within_reach('c.partnership_id', 'events.occurred_at') || ')'),
    partner_event('amendments', mine),
    partner_event('substitutions', mine),
    partner_event('evaluations', round),
    partner_event('evaluation_invitations', round),
    partner_event('evaluation_decisions', round),
    partner_event('objectives', 'true'),
    partner_event('objective_links', mine)));
end
$$;
