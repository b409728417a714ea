-- Where a table has no statistics yet, as while the first thousands of records are imported, both indexes of references
-- seemed to serve a look-up by name as well, and the one that begins with the tenant and the kind was taken: it then read
-- every reference of the kind. Measured with 5,000 references: 3.4 ms a look-up against 0.005.
create index external_refs_by_record on external_refs (tenant_id, resource_id, resource_type, position);
drop index external_refs_by_resource;
