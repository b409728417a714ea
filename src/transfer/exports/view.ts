import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { compiler } from '../../db/prepared.ts'
import { byInstant, defineList, type List, oneOf } from '../../platform/lists.ts'
import { defineResource, type View } from '../../platform/resource.ts'
import { Export, exportStatuses } from './schemas.ts'

/** Row to wire. Files are there when all of them are complete, and not before. */
const view: View<Export> = compiler.selectFrom('exports as r').select((eb) => [
  'r.id',
  'r.version',
  'r.created_at',
  'r.updated_at',
  eb.ref('r.status').$castTo<Export['status']>().as('status'),
  'r.tables',
  eb.ref('r.format').$castTo<Export['format']>().as('format'),
  eb.ref('r.dialect').$castTo<Export['dialect']>().as('dialect'),
  eb.ref('r.compression').$castTo<Export['compression']>().as('compression'),
  eb.ref('r.filters').$castTo<Export['filters']>().as('filters'),
  eb.ref('r.changed_after_sequence').$castTo<number | null>().as('changed_after_sequence'),
  sql<Export['progress']>`json_build_object('rows_done', r.rows_done, 'rows_expected', r.rows_expected)`.as('progress'),
  'r.as_of_day as as_of',
  'r.as_of as snapshot_at',
  eb.ref('r.sequence').$castTo<number | null>().as('sequence'),
  'r.started_at',
  'r.finished_at',
  'r.expires_at',
  'r.failure',
  jsonArrayFrom(
    eb
      .selectFrom('export_files as f')
      .select((inner) => [
        'f.name',
        'f.table_name as table',
        'f.media_type',
        inner.ref('f.rows').$castTo<number | null>().as('rows'),
        inner.ref('f.bytes').$castTo<number>().as('bytes'),
        'f.sha256',
      ])
      .whereRef('f.tenant_id', '=', 'r.tenant_id')
      .whereRef('f.export_id', '=', 'r.id')
      .orderBy('f.position'),
  ).as('files'),
])

/** What moves while an export runs, without an event: the next one tells of it. */
export const movingMembers = ['started_at', 'snapshot_at', 'sequence', 'progress'] as const

export const exportResource = defineResource<Export>({ type: 'export', path: 'exports', table: 'exports', view })

export const exportList: List = defineList({
  name: 'exports',
  item: Export,
  view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: '-created_at',
  filters: { status: oneOf('status', exportStatuses) },
})
