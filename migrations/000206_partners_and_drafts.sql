-- What is a draft again is its author's alone again, and partners are told that it went.

-- What is offered in the place of a promise: shown as long as the offer stands, or where it was taken.
create or replace function partner_offered() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select coalesce(array_agg(s.by_commitment_id), '{}') from substitutions s
  where s.tenant_id = current_tenant() and s.partnership_id = any ((select partner_partnerships())::uuid[])
    and s.status in ('proposed', 'accepted')
$$;

-- The record itself, and the partnership that a withdrawn one was, are out of the reader's sight by now: whom the event
-- is for stands in what it says.
do $$
declare
  shown text := (select pg_get_expr(polqual, polrelid) from pg_policy
    where polrelid = 'events'::regclass and polname = 'of_partner');
begin
  execute format('alter policy of_partner on events using ((%s) or case type
      when ''commitment.withdrawn'' then %s
      when ''partnership.withdrawn'' then exists (
        select from json_array_elements(representation -> ''parties'') p
        where (p ->> ''organisation_id'')::uuid = any ((select partner_own())::uuid[]) and p ->> ''left_on'' is null)
      else false end)',
    shown, within_reach($policy$(representation ->> 'partnership_id')::uuid$policy$, 'occurred_at'));
end
$$;
