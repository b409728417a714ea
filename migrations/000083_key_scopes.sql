-- What a request needed beyond the scope of its operation: asked for again when its answer is.

alter table idempotency_keys add column scopes text[] not null default '{}';
