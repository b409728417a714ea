import { type RawBuilder, sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { ExternalRef, Metadata, ref } from '../core/schemas.ts'
import { tenantParam } from '../db/prepared.ts'

/**
 * What a value is, in every format:
 * `decimal` is exact (CSV: digits, NDJSON: a string), `instant` an RFC 3339
 * instant in UTC with its microseconds, `json` a value of its own in NDJSON and its text in CSV.
 */
export type ColumnType = 'uuid' | 'text' | 'code' | 'integer' | 'decimal' | 'boolean' | 'date' | 'instant' | 'json'

/** One column: the one place where its name, type, unit, meaning, nullability and codes are said. */
export interface Column {
  type: ColumnType
  meaning: string
  /** Of numbers: what one is of, such as `the unit column` or `points, 0 to 100`. */
  unit?: string
  /** Of decimals: whether one may be below zero. */
  isSigned?: boolean
  /** Of decimals: at most how many digits stand before the point; as many as there may be, where it is not said. */
  digits?: number
  /** Of decimals: whether one is what many come to. */
  isSum?: boolean
  /** Of integers: whether one may need more than 32 bits. */
  isLong?: boolean
  isNullable?: boolean
  /** Of texts: an id or a number of somebody's register, whose zeros and digits a spreadsheet must leave alone. */
  isIdentifier?: boolean
  /** The closed list of a `code`. */
  codes?: readonly string[]
  /** The table and column that the value is a key of. */
  references?: { table: string; column: string }
  /** The schema of a `json` value. */
  schema?: TSchema
}

/** A column that needs no more than the main table, or the joins that are here. */
export interface PlainColumn extends Column {
  value?: RawBuilder<unknown>
}

/** What every record begins with. */
export const recordColumns = (noun: string) =>
  ({
    id: { type: 'uuid', meaning: `The ${noun}` },
    version: { type: 'integer', meaning: 'Grows by one with each change' },
    created_at: { type: 'instant', meaning: 'When it was first recorded' },
    updated_at: { type: 'instant', meaning: 'When it last changed' },
  }) satisfies Record<string, PlainColumn>

/** The refs of all records of a kind, grouped once for the whole export: to be joined as `refs`. The first is at 0. */
export const refsOf = (type: string) =>
  sql<{ resource_id: string; list: unknown; system: string; ref_id: string }>`(
    select x.resource_id,
      json_agg(json_build_object('system', x.system, 'id', x.ref_id, 'url', x.url) order by x.position) as list,
      min(x.system) filter (where x.position = 0) as system, min(x.ref_id) filter (where x.position = 0) as ref_id
    from external_refs x where x.tenant_id = ${tenantParam} and x.resource_type = ${sql.lit(type)}
    group by x.resource_id)`.as('refs')

/** The ids of a record in other systems, of a source that joins `refs`. */
export const refColumns = {
  external_system: {
    type: 'text',
    meaning: 'The other system in which it has an id; the first where there are several',
    isNullable: true,
    value: sql.ref('refs.system'),
  },
  external_id: {
    type: 'text',
    meaning: 'Its id there',
    isNullable: true,
    isIdentifier: true,
    value: sql.ref('refs.ref_id'),
  },
  external_refs: {
    type: 'json',
    schema: Type.Array(ref(ExternalRef)),
    meaning: 'All its ids in other systems',
    value: sql`coalesce(refs.list, '[]'::json)`,
  },
} satisfies Record<string, PlainColumn>

export const metadataColumn = {
  metadata: { type: 'json', schema: ref(Metadata), meaning: 'The client’s own data' },
} satisfies Record<string, PlainColumn>

/** What every record that a client may tag ends with. */
export const tailColumns = { ...refColumns, ...metadataColumn }

/** Where a record that may come from another system comes from. */
export const takenOverColumns = {
  taken_over_on: {
    type: 'date',
    meaning: 'When it was taken over from another system, with its history there',
    isNullable: true,
    value: sql`(r.taken_over ->> 'on')`,
  },
  taken_over_from: {
    type: 'text',
    meaning: 'The system from which it was taken over',
    isNullable: true,
    value: sql`(r.taken_over ->> 'from_system')`,
  },
} satisfies Record<string, PlainColumn>

/** The id of a record of another table. */
const keyOf =
  (table: string) =>
  (meaning: string, more: Partial<PlainColumn> = {}) =>
    ({ type: 'uuid', meaning, references: { table, column: 'id' }, ...more }) satisfies PlainColumn

export const organisationKey = keyOf('organisations')
export const partnershipKey = keyOf('partnerships')
export const partyKey = keyOf('partnership_parties')
export const commitmentKey = keyOf('commitments')
export const fulfilmentKey = keyOf('fulfilments')
export const pauseKey = keyOf('pauses')
export const substitutionKey = keyOf('substitutions')
export const amendmentKey = keyOf('amendments')
export const objectiveKey = keyOf('objectives')
export const objectiveLinkKey = keyOf('objective_links')
export const disruptionKey = keyOf('disruptions')
export const evaluationKey = keyOf('evaluations')
export const evaluationDecisionKey = keyOf('evaluation_decisions')

/** May be missing. */
export const optional = { isNullable: true } as const

/** A list, as a JSON array. */
export const listColumn = (item: TSchema, meaning: string, value?: RawBuilder<unknown>) =>
  ({ type: 'json', schema: Type.Array(item), meaning, ...(value ? { value } : {}) }) satisfies PlainColumn

/** A Postgres array as JSON. */
export const jsonOf = (column: string) => sql`to_json(${sql.ref(column)})`

/** A code of a closed list. */
export const codeColumn = (values: readonly string[], meaning: string, more: Partial<PlainColumn> = {}) =>
  ({ type: 'code', codes: values, meaning, ...more }) satisfies PlainColumn
