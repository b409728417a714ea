-- The feed of events: those who wait are told of a commit, and what is older than is kept goes.

create function announce_event() returns trigger
  language plpgsql
  as $$
begin
  -- Told at commit, once for each transaction and tenant, for it says no more than that there is something new.
  perform pg_notify('beide_events', new.tenant_id::text);
  return null;
end
$$;
create trigger announced after insert on events for each row execute function announce_event();

create policy set_up on events to current_user using (true) with check (true);

-- Removes events that happened before an instant, from the oldest on and never one with an older one left behind it, so
-- that what is kept has no gap. Returns how many.
create function expire_events(before timestamptz, batch integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  tenant uuid;
  removed integer := 0;
  here integer;
begin
  for tenant in select id from tenants loop
    delete from events e using (
      select o.sequence from (
        select sequence, bool_and(occurred_at < before) over (order by sequence) as is_old from (
          select sequence, occurred_at from events where tenant_id = tenant order by sequence limit batch - removed
        ) oldest
      ) o where o.is_old
    ) old
    where e.tenant_id = tenant and e.sequence = old.sequence;
    get diagnostics here = row_count;
    removed := removed + here;
    exit when removed >= batch;
  end loop;
  return removed;
end
$$;
revoke all on function expire_events(timestamptz, integer) from public;
grant execute on function expire_events(timestamptz, integer) to beide_service;
