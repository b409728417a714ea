import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import pg from 'pg'
import type { Test } from 'tap'
import type { Json } from './harness.ts'
import { type ServiceProcess, until } from './process.ts'

// Requests to a service that runs as a process, on sockets that stay open, and a way to keep them waiting.

export interface Got {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Json
}

/** A request on a socket that the agent keeps open, as clients do. */
export async function ask(
  service: ServiceProcess,
  agent: Agent,
  method: string,
  path: string,
  body?: unknown,
): Promise<Got> {
  const headers = {
    authorization: `Bearer ${service.key}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const request = httpRequest(new URL(path, service.url), { method, agent, headers })
  request.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += chunk
  const isJson = response.headers['content-type']?.includes('json')
  return { status: response.statusCode ?? 0, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

export function keepAlive(t: Test): Agent {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  return agent
}

export async function owner(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  // Dropping the database of the test ends it.
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}

export const organisation = { name: 'Stichting Voorbeeld', sector: 'non_profit' }

/** Holds up every write of organisations, and answers once `count` requests wait for it. */
export async function holdUp(
  client: pg.Client,
): Promise<{ waiting(count: number): Promise<void>; release(): Promise<void> }> {
  await client.query('begin')
  await client.query('lock table organisations in access exclusive mode')
  const waits = `select count(*)::int as n from pg_locks where not granted
    and relation = 'organisations'::regclass and database = (select oid from pg_database where datname = current_database())`
  return {
    waiting: (count) => until(async () => (await client.query(waits)).rows[0].n >= count),
    release: async () => void (await client.query('commit')),
  }
}
