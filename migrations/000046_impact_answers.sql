-- What carried the response to an impact out may be a substitution or an amendment.

alter table substitutions add unique (tenant_id, partnership_id, id);
alter table disruption_impacts
  add column response_substitution_id uuid,
  add column response_amendment_id uuid,
  add foreign key (tenant_id, partnership_id, response_substitution_id)
    references substitutions (tenant_id, partnership_id, id),
  add foreign key (tenant_id, partnership_id, response_amendment_id)
    references amendments (tenant_id, partnership_id, id);
