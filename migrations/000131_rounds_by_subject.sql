-- What partners see of rounds and decisions is found by what they are about, a partnership or an organisation: by one
-- index, where a choice between two had every round of the tenant read.

create index evaluations_by_subject on evaluations (tenant_id, (coalesce(partnership_id, organisation_id)), created_at, id);
create index evaluation_decisions_by_subject
  on evaluation_decisions (tenant_id, (coalesce(partnership_id, organisation_id)), created_at, id);

-- What the reader may see rounds of: its partnerships, and its own organisations.
create function partner_subjects() returns uuid[]
  language sql stable security definer set search_path = public, pg_temp
  as $$ select partner_partnerships() || partner_own() $$;

do $$
declare
  name text;
  -- An organisation is never left.
  reach text := replace(within_reach('coalesce(partnership_id, organisation_id)', 'created_at'), 'partner_partnerships()',
    'partner_subjects()');
begin
  foreach name in array array['evaluations', 'evaluation_decisions'] loop
    execute format('alter policy of_partner on %I using (%s)', name, reach);
  end loop;
end
$$;

-- So that the new indexes are known for what they are from the first request on, where there is anything in them.
do $$
begin
  if pg_relation_size('evaluations') > 0 then analyze evaluations; end if;
  if pg_relation_size('evaluation_decisions') > 0 then analyze evaluation_decisions; end if;
end
$$;
