-- How many erasures concerned an import: what was read or done before one is read and done anew.
alter table imports add column erasures integer not null default 0;
