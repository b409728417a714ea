import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { startService } from './support/harness.ts'
import { importFile, rowsOf, send, startImports } from './support/imports.ts'

// Files that cannot be read, over a connection of their own: what is wrong is told to whoever sends all before it reads.

const service = await startService(t)
await startImports(t, service)
await service.app.listen({ host: '127.0.0.1', port: 0 })
const { port } = service.app.server.address() as AddressInfo

/** Sends a file to its end, in parts, and only then reads the answer. */
async function sendWhole(type: string, parts: readonly Buffer[]) {
  const socket = connect(port, '127.0.0.1').pause()
  t.teardown(() => socket.destroy())
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const headers = [
    'POST /v1/imports HTTP/1.1',
    'host: x',
    `authorization: Bearer ${service.key}`,
    `content-type: ${type}`,
    `content-length: ${length}`,
  ]
  const write = (part: string | Buffer) => new Promise<void>((resolve) => socket.write(part, () => resolve()))
  await write(`${headers.join('\r\n')}\r\n\r\n`)
  for (const part of parts) await write(part)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += chunk
    const [head = '', payload = ''] = text.split('\r\n\r\n')
    if (payload.length < Number(/content-length: (\d+)/.exec(head)?.[1])) continue
    return { status: Number(head.split(' ')[1]), body: JSON.parse(payload) }
  }
  throw new Error(`The connection ended after ${text}`)
}

/** More than the buffers on the way hold. */
const rest = Array.from({ length: 20 }, () => Buffer.from(`${'abcdefg\n'.repeat(131_072)}`))

for (const [what, type, begins, detail] of [
  ['CSV that opens a quote', 'text/csv', 'type,name\norganisation,"', /Max Record Size/],
  ['CSV with a name twice', 'text/csv', 'type,type\n', /stands twice/],
  ['CSV that is not UTF-8', 'text/csv', 'type,name\norganisation,Caf\xe9\n', /not valid UTF-8/],
  ['a grant without an end', 'application/json', '{"grants": [{"id": "', /longer than 4000000 characters/],
  ['JSON without grants', 'application/json', '{"awards": ["', /no array "grants"/],
  ['JSON that is not UTF-8', 'application/json', '{"grants": [{"id": "\xe9"}, {', /not valid UTF-8/],
] as const) {
  t.test(`${what}, with much behind it`, async (t) => {
    const answer = await sendWhole(type, [Buffer.from(begins, 'latin1'), ...rest])
    t.match(answer, { status: 400, body: { code: 'invalid_request', detail } })
    const left = await service.database.read(service, (tx) => tx.client.query('select from imports'))
    t.equal(left.rowCount, 0, 'nothing of it stays')
  })
}

t.test('CSV that breaks off within a character is not UTF-8', async (t) => {
  const file = Buffer.from('type,name\norganisation,é')
  const answer = await sendWhole('text/csv', [file.subarray(0, -1)])
  t.match(answer, { status: 400, body: { detail: /not valid UTF-8/ } })
})

t.test('a cell of JSON is read as strictly as a body', async (t) => {
  const file = [
    'type,external_refs.0.system,external_refs.0.id,name,sector,metadata:json',
    'organisation,crm,1,Voorbeeld,company,"{""a"": 1e999}"',
    'organisation,crm,2,Voorbeeld,company,"{""a"": 1, ""a"": 2}"',
    'organisation,crm,3,Voorbeeld,company,"{""a"": 1e99}"',
  ].join('\n')
  const made = await importFile(service, file, { type: 'text/csv' })
  t.match(await rowsOf(service, made), [
    { outcome: 'invalid', faults: [{ detail: /The cell "metadata:json"/ }] },
    { outcome: 'invalid', faults: [{ detail: /The cell "metadata:json"/ }] },
    { outcome: 'created' },
  ])
})

t.test('a file that was packed is not taken for what it holds', async (t) => {
  const answer = await send(service, '{}\n', { headers: { 'content-encoding': 'gzip' } })
  t.match(answer, { status: 415, body: { code: 'unsupported_media_type', detail: /without the encoding gzip/ } })
})
