-- The templates of a tenant's own. Each change of one makes a version, and every version stays: what a round was held on
-- is never changed.

create table evaluation_templates (
  tenant_id uuid not null references tenants,
  id uuid not null,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  code text not null,
  subject text not null check (subject in ('partnership', 'organisation')),
  status text not null check (status in ('active', 'retired')),
  search_text text not null,
  metadata jsonb not null default '{}',
  primary key (tenant_id, id),
  unique (tenant_id, code)
);
create index evaluation_templates_by_creation on evaluation_templates (tenant_id, created_at, id);
create index evaluation_templates_by_update on evaluation_templates (tenant_id, updated_at, id);
create index evaluation_templates_by_status on evaluation_templates (tenant_id, status, code);
create index evaluation_templates_by_subject on evaluation_templates (tenant_id, subject, code);

-- Written once: the service may neither change nor delete one by itself.
create table evaluation_template_versions (
  tenant_id uuid not null,
  template_id uuid not null,
  version integer not null,
  created_at timestamptz not null,
  title jsonb not null,
  introduction jsonb,
  licence text,
  dimensions jsonb not null,
  items jsonb not null,
  primary key (tenant_id, template_id, version),
  foreign key (tenant_id, template_id) references evaluation_templates on delete cascade
);

-- Whether a template was ever chosen for a round.
create index evaluations_by_template on evaluations (tenant_id, template_code, created_at, id);

select protect_table('evaluation_templates');
select protect_table('evaluation_template_versions', 'select, insert');

-- Partners see the templates of the rounds that they see, in the versions of those rounds.
select open_to_partners('evaluation_templates',
  'exists (select from evaluations e where e.tenant_id = evaluation_templates.tenant_id
     and e.template_code = evaluation_templates.code)');
select open_to_partners('evaluation_template_versions',
  'exists (select from evaluation_templates t join evaluations e on e.tenant_id = t.tenant_id and e.template_code = t.code
     where t.tenant_id = evaluation_template_versions.tenant_id and t.id = evaluation_template_versions.template_id
       and e.template_version = evaluation_template_versions.version)');
