-- Each entry of a history has an id of its own, so that histories can be listed like all else.

alter table status_changes add column id uuid not null default gen_random_uuid();
create unique index status_changes_by_id on status_changes (tenant_id, id);
