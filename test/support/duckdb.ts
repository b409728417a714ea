import { DuckDBInstance } from '@duckdb/node-api'
import type { Test } from 'tap'

/** DuckDB, as a reader that knows nothing of this service. @returns what runs a statement and answers its rows as JSON */
export async function duckdb(t: Test): Promise<(statement: string) => Promise<Record<string, unknown>[]>> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  t.teardown(() => {
    connection.closeSync()
    instance.closeSync()
  })
  return async (statement) => {
    const reader = await connection.runAndReadAll(statement)
    return reader.getRowObjectsJson() as Record<string, unknown>[]
  }
}
