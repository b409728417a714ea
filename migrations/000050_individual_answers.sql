-- Rounds that persons answer, each with a token of their own. Nothing that is stored leads from an answer to whoever
-- gave it: a response has neither invitation nor time, and goes when the round is closed and its cells are frozen.

alter table evaluations drop constraint evaluations_response_mode_check;
alter table evaluations add check (response_mode in ('organisation', 'individual'));
-- A side with fewer answers is not shown: three at the least, and none where parties answer in their own name.
alter table evaluations add minimum_per_side integer check (minimum_per_side between 3 and 1000);
alter table evaluations add check ((response_mode = 'individual') = (minimum_per_side is not null));

alter table evaluation_invitations add language text;
-- SHA-256 of the token in force; a new token takes the place of the old one.
alter table evaluation_invitations add token_hash bytea unique;
create index evaluation_invitations_by_contact on evaluation_invitations (tenant_id, contact_id);

-- The owner of the schema finds an invitation by its token before its tenant is known.
create policy found_by_token on evaluation_invitations for select to current_user using (true);
create function find_invitation(presented_hash bytea) returns table (tenant_id uuid, id uuid, evaluation_id uuid)
  language sql stable security definer set search_path = public, pg_temp
  as $$
  select i.tenant_id, i.id, i.evaluation_id from evaluation_invitations i where i.token_hash = presented_hash;
$$;
revoke all on function find_invitation(bytea) from public;
grant execute on function find_invitation(bytea) to beide_service;

-- Answers that were not submitted yet, encrypted under what their respondent alone has.
create table evaluation_drafts (
  tenant_id uuid not null,
  invitation_id uuid not null,
  evaluation_id uuid not null,
  sealed bytea not null,
  primary key (tenant_id, invitation_id),
  foreign key (tenant_id, invitation_id) references evaluation_invitations on delete cascade,
  foreign key (tenant_id, evaluation_id) references evaluations
);
create index evaluation_drafts_by_evaluation on evaluation_drafts (tenant_id, evaluation_id);

-- The answers of persons, while their round is open. All rows of a round are written anew with each of them, under new
-- ids and in random order: neither ids, nor order, nor Postgres's own numbers of transactions tell them apart.
create table evaluation_anonymous_responses (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  evaluation_id uuid not null,
  side text not null check (side in ('company', 'non_profit', 'public', 'other')),
  answers jsonb not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, evaluation_id) references evaluations
);
create index evaluation_anonymous_responses_by_evaluation on evaluation_anonymous_responses (tenant_id, evaluation_id);

-- What was answered in words, frozen at closing: of each side and item in an order of its own.
create table evaluation_texts (
  tenant_id uuid not null,
  evaluation_id uuid not null,
  side text not null check (side in ('company', 'non_profit', 'public', 'other')),
  code text not null,
  position integer not null,
  text text not null,
  primary key (tenant_id, evaluation_id, code, side, position),
  foreign key (tenant_id, evaluation_id) references evaluations
);

-- A cell that is withheld stays, without what it would tell.
alter table evaluation_scores drop constraint evaluation_scores_level_check;
alter table evaluation_scores add check (level in ('item', 'dimension', 'overall', 'prediction'));
alter table evaluation_scores alter n drop not null;
alter table evaluation_scores add spread numeric;
alter table evaluation_scores add suppression_reason text check (suppression_reason in ('too_few', 'complementary'));
alter table evaluation_scores add check (suppression_reason is null or (n is null and score is null));
alter table evaluation_scores add check (score is not null or spread is null);

-- The dimension of an item, frozen too: templates of a tenant's own are not known to the service itself.
alter table evaluation_scores add dimension text;
alter table evaluation_scores no force row level security;
-- Until now every round of a partnership was held on the one template that the service has for them, and the codes of its
-- items begin with their dimension.
update evaluation_scores set dimension = case level
  when 'dimension' then code
  when 'item' then split_part(code, '_', 1)
end;
alter table evaluation_scores force row level security;

select protect_table('evaluation_drafts');
select protect_table('evaluation_anonymous_responses', 'select, insert, delete');
select protect_table('evaluation_texts', 'select, insert');
