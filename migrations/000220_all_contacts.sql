-- The contacts of all organisations are listed together, in the orders in which those of one are.
create index all_contacts_by_creation on contacts (tenant_id, created_at, id);
create index all_contacts_by_update on contacts (tenant_id, updated_at, id);
create index all_contacts_by_name on contacts (tenant_id, sort_name, id);
