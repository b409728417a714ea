-- The day on which it was told that a pause went on past its expected end: told once.
alter table pauses add column reminded_on date;
