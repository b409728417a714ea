import { sql } from 'kysely'
import { compiler, param } from '../../db/prepared.ts'
import { byId, byInstant, defineList, type List, oneOf } from '../../platform/lists.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import { Import, ImportRow, importStatuses, importTypes, outcomes } from './schemas.ts'

/** Row to wire. One whose file is still arriving is not there yet. */
const view: View<Import> = compiler
  .selectFrom('imports as r')
  .select((eb) => [
    'r.id',
    'r.version',
    'r.created_at',
    'r.updated_at',
    eb.ref('r.format').$castTo<Import['format']>().as('format'),
    eb.ref('r.type').$castTo<Import['type']>().as('type'),
    'r.dry_run',
    'r.all_or_nothing',
    eb.ref('r.status').$castTo<Import['status']>().as('status'),
    'r.failure',
    'r.rows_read',
    'r.rows_done',
    'r.created',
    'r.updated',
    'r.unchanged',
    'r.ambiguous',
    'r.invalid',
    'r.waiting',
    'r.started_at',
    'r.finished_at',
  ])
  .where('r.status', '<>', 'uploading')

export const importResource = defineResource<Import>({ type: 'import', path: 'imports', table: 'imports', view })

export const importList: List = defineList({
  name: 'imports',
  item: Import,
  view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: '-created_at',
  filters: { status: oneOf('status', importStatuses) },
})

const result = <T>(column: string) => sql<T>`(
  select ${sql.ref(`s.${column}`)} from import_results s
  where s.tenant_id = r.tenant_id and s.import_id = r.import_id and s.row_id = r.id)`

const rowView: View<ImportRow> = compiler.selectFrom('import_rows as r').select((eb) => [
  'r.id',
  'r.line',
  eb.ref('r.type').$castTo<ImportRow['type']>().as('type'),
  result<ImportRow['outcome']>('outcome').as('outcome'),
  sql<ImportRow['external_ref']>`(
    select json_build_object('system', s.ref_system, 'id', s.ref_id) from import_results s
    where s.tenant_id = r.tenant_id and s.import_id = r.import_id and s.row_id = r.id and s.ref_id is not null)`.as(
    'external_ref',
  ),
  result<string | null>('resource_id').as('resource_id'),
  sql<ImportRow['faults']>`coalesce(${result('faults')}, '[]'::json)`.as('faults'),
  sql<string[]>`coalesce(${result('candidates')}, '{}')`.as('candidates'),
  sql<string[]>`coalesce(r.remarks::json, '[]'::json)`.as('remarks'),
])

export const importRowList: List = defineList({
  name: 'import_rows',
  item: ImportRow,
  view: rowView,
  within: sql`r.import_id = ${param('import_id')}::uuid`,
  foundBy: sql`r.import_id = ${param('import_id')}::uuid`,
  sorts: { line: byId },
  defaultSort: 'line',
  filters: {
    type: oneOf('type', importTypes),
    outcome: {
      ...oneOf('outcome', outcomes),
      where: sql`r.id in (
        select s.row_id from import_results s where s.tenant_id = r.tenant_id and s.import_id = ${param('import_id')}::uuid
          and s.outcome = any(${param('outcome')}::text[]))`,
    },
  },
})
