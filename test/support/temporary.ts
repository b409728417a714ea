import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../../src/db/embedded-owner.ts'

const prefix = 'beide-test-'

/** In memory where there is room: a busy disk makes 300 ms of the 11 ms that a clone of a database takes. */
async function temporaryRoot(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined)
  return memory && memory.bavail * memory.bsize > 4 * 1024 ** 3 ? '/dev/shm' : tmpdir()
}

/** A new directory, to be removed by whoever asked for it. */
export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(await temporaryRoot(), `${prefix}${process.pid}-`))
}

/** Removes the directories of processes that were killed. A Postgres that still runs there ends when it misses its files. */
export async function removeAbandoned(): Promise<void> {
  const root = await temporaryRoot()
  for (const name of await readdir(root)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    if (pid > 0 && !(await isRunning(pid))) await rm(join(root, name), { recursive: true, force: true }).catch(() => {})
  }
}
