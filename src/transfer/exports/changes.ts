import { sql } from 'kysely'
import type { ReadTx } from '../../db/database.ts'
import { inline, prepare, tenantParam } from '../../db/prepared.ts'
import type { Column } from '../columns.ts'
import { type Form, writerOf } from '../forms.ts'
import { copyOf, type Table } from '../table.ts'
import { touchedUnits } from '../touched.ts'

const bounds = prepare<{ oldest: string; latest: string }>(sql`
  select c.event_sequence as latest, coalesce(
    (select sequence from events where tenant_id = ${tenantParam} order by sequence limit 1), c.event_sequence + 1
  ) as oldest
  from tenant_counters c where c.tenant_id = ${tenantParam}`)

/** The oldest event that is kept, and the last that there is. */
export async function feedBounds(tx: ReadTx): Promise<{ oldest: number; latest: number }> {
  const [row] = await bounds.run(tx)
  if (!row) throw new Error('The tenant has no counter')
  return { oldest: Number(row.oldest), latest: Number(row.latest) }
}

/** The part of a table that an export of changes takes away first. */
export interface Changes {
  name: string
  columns: Readonly<Record<string, Column>>
  key: readonly string[]
  copy(form: Form, choice: { tenantId: string; changedAfter: number }): string
  count(choice: { tenantId: string; changedAfter: number }): string
}

/**
 * What says which rows of a table to take away before those of the export are added: every unit that was touched, also
 * where nothing is left of it.
 */
export function changesOf({ name, unit, columns }: Table): Changes {
  const of = columns[unit.column] as Column
  const own: Record<string, Column> = {
    [unit.column]: { ...of, isNullable: false },
    sequence: { type: 'integer', isLong: true, meaning: 'The last event that touched it' },
    is_deleted: { type: 'boolean', meaning: 'Whether the record is no more: nothing takes the place of its rows' },
  }
  const sources = [
    sql`t.id`,
    sql`t.sequence`,
    sql`not exists (select from ${sql.table(unit.of)} o where o.tenant_id = ${tenantParam} and o.id = t.id)`,
  ]
  const values = ({ tenantId, changedAfter }: { tenantId: string; changedAfter: number }) => ({
    tenant_id: tenantId,
    changed_after: String(changedAfter),
  })
  return {
    name: `${name}_changes`,
    columns: own,
    key: [unit.column],
    copy(form, choice) {
      const selected = Object.entries(own).map(
        ([column, definition], at) =>
          sql`${writerOf(form, definition)(sources[at] ?? sql`null`)} as ${sql.ref(column)}`,
      )
      return copyOf(form, sql`select ${sql.join(selected)} from ${touchedUnits(unit)} t order by t.id`)(values(choice))
    },
    count: (choice) => inline(sql`select count(*) as count from ${touchedUnits(unit)} t`)(values(choice)),
  }
}
