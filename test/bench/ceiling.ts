import Fastify from 'fastify'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'

// The ceiling: the least that a server on the same stack can do. Named prepared statements, JSON built by Postgres; no
// credentials, no checks, no row-level security, no log. Started by run.ts, which sends what it shall serve.

export interface Bare {
  databaseUrl: string
  tenantId: string
  /** The service's own statements: by id, and the two of the list. The id is the value `$id`, those found are `$ids`. */
  one: { text: string; values: unknown[] }
  places: { text: string; values: unknown[] }
  bodies: { text: string; values: unknown[] }
  /** Columns of a new row, in order; `metadata` is given as text. */
  insertText: string
  patchText: string
  copies: Record<string, string>
}

process.once('message', async (bare: Bare) => {
  const pool = new pg.Pool({ connectionString: bare.databaseUrl, max: 20 })
  const app = Fastify()
  const json = 'application/json; charset=utf-8'

  app.get('/one/:id', async (request, reply) => {
    const { id } = request.params as { id: string }
    const values = bare.one.values.map((value) => (value === '$id' ? id : value))
    const { rows } = await pool.query({ name: 'one', text: bare.one.text, values })
    return reply.type(json).send(rows[0].body)
  })

  app.get('/list', async (_request, reply) => {
    const places = await pool.query({ name: 'places', text: bare.places.text, values: bare.places.values })
    const ids = places.rows.map((row) => row.id)
    const values = bare.bodies.values.map((value) => (value === '$ids' ? ids : value))
    const { rows } = await pool.query({ name: 'bodies', text: bare.bodies.text, values })
    const byId = new Map(rows.map((row) => [row.id, row.body]))
    return reply.type(json).send(`{"data":[${ids.map((id) => byId.get(id)).join(',')}]}`)
  })

  app.post('/rows', async (request, reply) => {
    const body = request.body as Record<string, string>
    const values = [bare.tenantId, body['partnership_id'], body['from_party_id'], body['title'], body['amount']]
    const { rows } = await pool.query({ name: 'insert', text: bare.insertText, values })
    return reply.code(201).type(json).send(rows[0].body)
  })

  app.patch('/rows/:id', async (request, reply) => {
    const { id } = request.params as { id: string }
    const { title } = request.body as { title: string }
    const { rows } = await pool.query({ name: 'patch', text: bare.patchText, values: [bare.tenantId, id, title] })
    return reply.type(json).send(rows[0].body)
  })

  app.get('/export/:name', async (request, reply) => {
    const client = await pool.connect()
    const rows = client.query(copyTo(bare.copies[(request.params as { name: string }).name] as string))
    rows.once('close', () => client.release())
    return reply.type('text/csv').send(rows)
  })

  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send?.({ port: (app.server.address() as { port: number }).port })
})
