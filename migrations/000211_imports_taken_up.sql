-- How often an import of one transaction was begun: who finds that another has begun it since stops.
alter table imports add column attempt integer not null default 0;
