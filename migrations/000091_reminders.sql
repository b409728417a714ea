-- What was told of because its day had come, once for each day that it was due on.
create table reminders (
  tenant_id uuid not null references tenants,
  name text not null,
  record_id uuid not null,
  due_on date not null,
  told_at timestamptz not null,
  primary key (tenant_id, name, record_id, due_on)
);
select protect_table('reminders', 'select, insert');

-- Pauses are told of in the same way now.
alter table pauses drop column reminded_on;

-- The tenants there are: the round of reminders goes from one to the next.
create function every_tenant() returns setof uuid
  language sql stable security definer set search_path = public, pg_temp
  as $$ select id from tenants order by id $$;
revoke all on function every_tenant() from public;
grant execute on function every_tenant() to beide_service;

create index pauses_open_by_partnership on pauses (tenant_id, (coalesce(planned_resume_on, review_on))) where resumed_on is null;
create index disruption_impacts_unanswered on disruption_impacts (tenant_id, response_due_on) where responded_on is null;
