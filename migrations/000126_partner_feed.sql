-- The feed of events for partners: those of the records that they see, as long as they had a part in them.

-- A row of the feed whose record is one that the reader sees, by the table of its kind: `condition` adds to it.
create function partner_event(name regclass, condition text) returns text
  language sql immutable
  as $$
  select format('exists (select from %1$s k where k.tenant_id = events.tenant_id and k.id = events.resource_id and %2$s)',
    name, condition)
$$;

do $$
declare
  mine text := within_reach('k.partnership_id', 'events.occurred_at');
begin
  -- The tables of the kinds have walls of their own, which stand here too. What was still a draft is its author's alone.
  perform open_to_partners('events', format($policy$(representation ->> 'status') is distinct from 'draft' and case resource_type
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
    partner_event('evaluations', mine),
    partner_event('evaluation_invitations', mine),
    partner_event('evaluation_decisions', mine),
    partner_event('objectives', 'true'),
    partner_event('objective_links', mine)));
end
$$;

-- Where the feed of the tenant begins and ends, whatever of it the reader sees.
create function partner_feed_bounds() returns table (latest bigint, oldest bigint)
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select c.event_sequence, coalesce(
    (select e.sequence from events e where e.tenant_id = c.tenant_id order by e.sequence limit 1), c.event_sequence + 1)
  from tenant_counters c where c.tenant_id = current_tenant()
$$;
revoke all on function partner_feed_bounds() from public;
grant execute on function partner_feed_bounds() to beide_partner;
