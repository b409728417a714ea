import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startEmbedded } from '../src/db/embedded.ts'
import { isRunning } from '../src/db/embedded-owner.ts'
import { temporaryDirectory } from './support/temporary.ts'

const settings = { fsync: 'off' }
const ownerProgram = fileURLToPath(new URL('support/embedded-owner.ts', import.meta.url))

async function temporary(t: Test): Promise<string> {
  const directory = await temporaryDirectory()
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'data')
}

async function ask<T>(url: string, statement: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: statement, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

/** Another process that starts Postgres in a directory and keeps it. */
async function owner(t: Test, dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [ownerProgram, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void child.kill('SIGKILL'))
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, url }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** The same address, but for the socket. */
const byTcp = (url: string): string => url.replace(/[?].*$/, '')

const postmaster = async (dataDir: string) =>
  Number.parseInt(await readFile(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8'), 10)

t.test('data outlives a stop and a start, and so does the password', async (t) => {
  const dataDir = await temporary(t)
  const first = await startEmbedded({ dataDir, settings })
  await ask(first.url, `create table kept as select 'Vriendschap' as word`)
  await first.stop()
  const lines: string[] = []
  const second = await startEmbedded({ dataDir, settings, log: (line) => lines.push(line) })
  t.teardown(second.stop)
  t.same(await ask(second.url, 'select word from kept'), ['Vriendschap'])
  t.equal(new URL(second.url).password, new URL(first.url).password)
  t.equal((await stat(join(dataDir, 'postgres/password'))).mode & 0o777, 0o600)
  t.ok(lines.some((line) => line.includes('ready to accept connections')))
})

t.test('the server is Postgres 18 on the loopback alone, in UTF-8, with the settings given', async (t) => {
  const dataDir = await temporary(t)
  const { url, stop } = await startEmbedded({ dataDir, settings: { ...settings, work_mem: '7MB' } })
  t.teardown(stop)
  t.equal(new URL(url).pathname, '/beide')
  t.match(await ask(url, 'show server_version'), [/^18\./])
  t.same(await ask(url, 'show listen_addresses'), ['127.0.0.1'])
  t.same(await ask(url, 'show unix_socket_directories'), [`"${join(dataDir, 'postgres')}"`])
  t.same(await ask(url, 'select inet_server_port()'), [null], 'who has the address goes by the socket')
  t.match(await ask(byTcp(url), 'select inet_server_port()'), [Number(new URL(url).port)], 'and may go by TCP')
  t.same(await ask(url, 'show server_encoding'), ['UTF8'])
  t.same(await ask(url, 'show work_mem'), ['7MB'])
  t.same(await ask(url, `select upper('één')`), ['ÉÉN'], 'capitals beyond ASCII')
  t.same(await ask(url, `select 'Z' < 'a'`), [true], 'order by code points')
  const wrong = new URL(url)
  wrong.password = 'guessed'
  await t.rejects(ask(wrong.href, 'select 1'), /password authentication failed/)
  await t.rejects(ask(byTcp(wrong.href), 'select 1'), /password authentication failed/)
})

t.test('a directory of any name is served by its socket, and one too deep for a socket by TCP', async (t) => {
  const parent = await temporary(t)
  const port = 'select inet_server_port() is null'
  const odd = await startEmbedded({ dataDir: join(parent, `één "map", 100% d'or & más`), settings })
  t.teardown(odd.stop)
  t.same(await ask(odd.url, port), [true])
  const deep = await startEmbedded({ dataDir: join(parent, 'x'.repeat(100)), settings })
  t.teardown(deep.stop)
  t.notMatch(deep.url, '?')
  t.same(await ask(deep.url, port), [false])
})

t.test('a second live owner is refused by name, and the first does not notice', async (t) => {
  const dataDir = await temporary(t)
  const { child, url } = await owner(t, dataDir)
  await t.rejects(startEmbedded({ dataDir, settings }), {
    message: `The data directory ${dataDir} is in use by the running process ${child.pid}; stop that first.`,
  })
  t.same(await ask(url, 'select 1'), [1])
  await kill(child)
  const next = await startEmbedded({ dataDir, settings })
  await t.rejects(startEmbedded({ dataDir, settings }), { message: new RegExp(`process ${process.pid};`) })
  await next.stop()
})

t.test('a killed owner leaves a server behind: the next start replaces it and finds the data', async (t) => {
  const dataDir = await temporary(t)
  const { child, url } = await owner(t, dataDir)
  await ask(url, 'create table kept as select 1 as n')
  await kill(child)
  const orphan = await postmaster(dataDir)
  t.ok(await isRunning(orphan), 'the server still runs')
  const next = await startEmbedded({ dataDir, settings })
  t.teardown(next.stop)
  t.not(await postmaster(dataDir), orphan)
  const sockets = (await readdir(join(dataDir, 'postgres'))).filter((name) => name.startsWith('.s.PGSQL.'))
  const own = `.s.PGSQL.${new URL(next.url).port}`
  t.same(sockets.sort(), [own, `${own}.lock`], 'the socket of the killed one is gone')
  t.notOk(await isRunning(orphan))
  t.same(await ask(next.url, 'select n from kept'), [1])
})

t.test('process ids that others have by now do not stop a start', async (t) => {
  const dataDir = await temporary(t)
  const { child } = await owner(t, dataDir)
  const server = await postmaster(dataDir)
  await kill(child)
  process.kill(server, 'SIGKILL')
  const pidFile = join(dataDir, 'postgres/cluster/postmaster.pid')
  await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(process.ppid)))
  await writeFile(join(dataDir, 'owner.json'), JSON.stringify({ pid: process.ppid, started: 'long ago' }))
  const { url, stop } = await startEmbedded({ dataDir, settings })
  t.same(await ask(url, 'select 1'), [1])
  await stop()
  t.ok(await isRunning(process.ppid), 'and are left alone')
  t.same(await readdir(dataDir), ['postgres'], 'a stop leaves the data and nothing else')
})

t.test('a first start that was cut short is begun anew', async (t) => {
  const dataDir = await temporary(t)
  await mkdir(join(dataDir, 'postgres.new-0123/cluster/base'), { recursive: true })
  await writeFile(join(dataDir, 'owner.json'), '{"pid":')
  const { url, stop } = await startEmbedded({ dataDir, settings })
  t.teardown(stop)
  t.same(await ask(url, 'select 1'), [1])
  t.same((await readdir(dataDir)).sort(), ['owner.json', 'postgres'])
})

t.test('a server that cannot start says why, and gives the directory up', async (t) => {
  const dataDir = await temporary(t)
  await t.rejects(startEmbedded({ dataDir, settings: { ...settings, work_mem: 'plenty' } }), /work_mem/)
  const { url, stop } = await startEmbedded({ dataDir, settings })
  t.teardown(stop)
  t.same(await ask(url, 'select 1'), [1])
})
