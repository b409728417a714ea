-- The position itself is not asked for: an export of changes tells what came after it.
alter table exports rename column changed_since_sequence to changed_after_sequence;
