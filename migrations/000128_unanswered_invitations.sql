-- Invitations that were not answered are looked through each night: their persons are not kept for ever.
create index evaluation_invitations_unanswered on evaluation_invitations (tenant_id, updated_at) where status <> 'answered';
