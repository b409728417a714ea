-- Jobs are kept by graphile-worker in a schema of its own, which the service's role cannot reach. It enqueues through
-- these functions, which put the tenant of the transaction on every job.

create function enqueue_job(task text, payload json, run_at timestamptz, job_key text, queue text) returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  if current_tenant() is null then
    raise exception 'A job is enqueued in the transaction of a tenant';
  end if;
  perform graphile_worker.add_job(
    task,
    payload => json_build_object('tenant_id', current_tenant(), 'payload', payload),
    queue_name => queue,
    run_at => run_at,
    job_key => task || ':' || current_tenant() || ':' || job_key
  );
end
$$;

create function cancel_job(task text, job_key text) returns void
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  perform graphile_worker.remove_job(task || ':' || current_tenant() || ':' || job_key);
end
$$;

revoke all on function enqueue_job(text, json, timestamptz, text, text) from public;
revoke all on function cancel_job(text, text) from public;
grant execute on function enqueue_job(text, json, timestamptz, text, text) to beide_service;
grant execute on function cancel_job(text, text) to beide_service;
