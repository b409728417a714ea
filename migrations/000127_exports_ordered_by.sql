-- Whose order an export is, so that one credential leaves room for the others.
alter table exports add column ordered_by text;
