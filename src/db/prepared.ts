import { createHash } from 'node:crypto'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import pg from 'pg'
import type { ReadTx } from './database.ts'
import type { DB } from './rows.ts'

/** Builds queries without a connection: what it compiles runs later, on the connection of a transaction. */
export const compiler = new Kysely<DB>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** A hole in a query that is compiled once; its value is given by name at each run. */
class Hole {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A named parameter of a prepared query. */
export const param = <T>(name: string) => sql<T>`${new Hole(name)}`

/** The tenant of the transaction that the query runs in: every query starts from it. */
export const tenantParam = param<string>('tenant_id')

export interface Prepared<Row> {
  readonly text: string
  /** Runs under a name on the transaction's connection, which parses and plans it once. */
  run(tx: ReadTx, values?: Readonly<Record<string, unknown>>): Promise<Row[]>
}

export interface PrepareOptions {
  /**
   * True for a query whose best plan depends on the values: it goes without a name, so that Postgres plans it for each.
   * Under a name it would settle on one plan for all, which for the filter by a party of 10,000 partnerships took 100 ms
   * where 2 were needed.
   */
  isPlannedEachTime?: boolean
}

/** Compiles a query once; `param(…)` marks what varies. Kysely's compilation costs about half of a read by id. */
export function prepare<Row>(
  query: { compile(provider: Kysely<DB>): CompiledQuery<Row> },
  { isPlannedEachTime = false }: PrepareOptions = {},
): Prepared<Row> {
  const { sql: text, parameters } = query.compile(compiler)
  const name = `q_${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`
  return {
    text,
    async run(tx, values = {}) {
      const bound = parameters.map((parameter) => {
        if (!(parameter instanceof Hole)) return parameter
        return parameter.name === 'tenant_id' ? tx.tenantId : values[parameter.name]
      })
      const named = isPlannedEachTime ? {} : { name }
      const result = await tx.client.query<Row & pg.QueryResultRow>({ ...named, text, values: bound })
      return result.rows
    },
  }
}

/** A statement whose holes are filled with literals. */
export type Inlined = (values: Readonly<Record<string, unknown>>) => string

/**
 * Compiles a query once for statements that take no parameters, such as COPY: values go in as literals, quoted by the
 * driver. Texts and lists of texts only.
 */
export function inline(query: { compile(provider: Kysely<DB>): CompiledQuery<unknown> }): Inlined {
  const { sql: text, parameters } = query.compile(compiler)
  const pieces = text.split(/\$\d+/)
  if (pieces.length !== parameters.length + 1) throw new Error(`A literal looks like a parameter: ${text}`)
  return (values) =>
    parameters.reduce<string>((all, parameter, index) => {
      const value = parameter instanceof Hole ? values[parameter.name] : parameter
      return `${all}${literal(value)}${pieces[index + 1]}`
    }, pieces[0] ?? '')
}

function literal(value: unknown): string {
  if (typeof value === 'string') return pg.escapeLiteral(value)
  if (Array.isArray(value)) return `array[${value.map(literal).join(', ')}]`
  throw new Error(`A ${typeof value} cannot stand in a statement`)
}
