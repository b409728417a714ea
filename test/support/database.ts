import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'

// Each test works on a database of its own: a copy of the template that `npm test` made.

/** Where the run tells its test files which server, which template, and how a copy is made fastest there. */
export const serverVariable = 'BEIDE_TEST_SERVER'
export const templateVariable = 'BEIDE_TEST_TEMPLATE'
export const strategyVariable = 'BEIDE_TEST_STRATEGY'

/** The address of another database on the same server. */
export function onServer(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}

/** Runs one statement as the owner of the server's databases. */
export async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A migrated database for one test, dropped after it. @returns its address, as its owner */
export async function cloneDatabase(t: Test): Promise<string> {
  const { [serverVariable]: server, [templateVariable]: template, [strategyVariable]: strategy } = process.env
  if (!server || !template || !strategy) throw new Error('Tests need a database: start them with `npm test`.')
  // The name begins with the template's, so that the run drops what a killed test left behind.
  const name = `${template}_${randomBytes(6).toString('hex')}`
  await runOnServer(server, `create database ${name} template ${template} strategy ${strategy}`)
  t.teardown(() => runOnServer(server, `drop database if exists ${name} with (force)`))
  return onServer(server, name)
}
