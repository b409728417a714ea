import { type RawBuilder, sql } from 'kysely'
import { searchable } from '../../core/text.ts'
import { compiler, param, prepare, tenantParam } from '../../db/prepared.ts'
import { externalRefsOf } from '../../platform/references.ts'
import { defineResource, type Represented, type View } from '../../platform/resource.ts'
import { findTemplate, templates } from './built-in.ts'
import type { EvaluationTemplate } from './schemas.ts'

interface Row extends Omit<EvaluationTemplate, 'external_refs'> {
  tenant_id: string
  /** When the version came to be. */
  version_at: string
  search_text: string
}

// Built-in templates are a part of the statement: they belong to every tenant, and to no table.
const builtIn = sql.lit(
  JSON.stringify(
    templates.map((template) => ({
      ...template,
      search_text: searchable(template.code, ...Object.values(template.title)),
      is_latest: findTemplate(template.code) === template,
    })),
  ),
)

/**
 * The templates of the tenant's own, and the built-in ones, which one of the tenant's own of the same code hides; in the
 * version asked for, or the latest that the reader may see.
 */
const rowsIn = (version?: RawBuilder<unknown>): RawBuilder<Row> => sql<Row>`(
  select t.tenant_id, t.id, v.version, t.created_at, t.updated_at, v.created_at as version_at, t.code, 'own' as origin,
    t.status, t.subject, v.title, v.introduction, v.licence, v.dimensions, v.items, t.metadata, t.search_text
  from evaluation_templates t cross join lateral (
    select * from evaluation_template_versions w
    where w.tenant_id = t.tenant_id and w.template_id = t.id ${version ? sql`and w.version = ${version}` : sql``}
    order by w.version desc limit 1) v
  union all
  select ${tenantParam}::uuid, b.id, b.version, b.created_at, b.updated_at, b.updated_at, b.code, b.origin, b.status,
    b.subject, b.title, b.introduction, b.licence, b.dimensions, b.items, b.metadata, b.search_text
  from jsonb_to_recordset(${builtIn}::jsonb) as b (id uuid, version integer, created_at timestamptz,
    updated_at timestamptz, code text, origin text, status text, subject text, title jsonb, introduction jsonb,
    licence text, dimensions jsonb, items jsonb, metadata jsonb, search_text text, is_latest boolean)
  where ${version ? sql`b.version = ${version}` : sql`b.is_latest`} and not exists (
    select from evaluation_templates o where o.tenant_id = ${tenantParam}::uuid and o.code = b.code)
)`

/** Row to wire: explicit, so that a new column never leaks. */
const viewOf = (rows: RawBuilder<Row>): View<EvaluationTemplate> =>
  compiler
    .selectFrom(rows.as('r'))
    .select((eb) => [
      'r.id',
      'r.version',
      'r.created_at',
      'r.version_at as updated_at',
      'r.code',
      'r.origin',
      'r.status',
      'r.title',
      'r.introduction',
      'r.subject',
      'r.licence',
      'r.dimensions',
      'r.items',
      externalRefsOf(eb, 'evaluation_template').as('external_refs'),
      'r.metadata',
    ])

export const templateResource = defineResource<EvaluationTemplate>({
  type: 'evaluation_template',
  path: 'evaluation-templates',
  table: 'evaluation_templates',
  view: viewOf(rowsIn()),
})

const oneBy = (column: 'id' | 'code', version?: RawBuilder<unknown>) =>
  prepare<Represented>(sql`
    select v.version, row_to_json(v)::text as body from (${viewOf(rowsIn(version)).where(
      sql<boolean>`${sql.ref(`r.${column}`)} = ${param('name')}::${sql.raw(column === 'id' ? 'uuid' : 'text')}`,
    )}) v`)

const asked = sql`${param('template_version')}::integer`

/** Reads one by `name`, its id or its code, in the latest version or in `template_version`. */
export const templateReads = {
  id: { latest: oneBy('id'), version: oneBy('id', asked) },
  code: { latest: oneBy('code'), version: oneBy('code', asked) },
}
