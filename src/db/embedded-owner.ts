import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const absent = () => undefined

/** What `ps` says about one process; undefined where there is none, or no `ps`. */
async function ps(pid: number, column: string): Promise<string | undefined> {
  const told = await run('ps', ['-o', `${column}=`, '-p', String(pid)], { env: { LC_ALL: 'C' } }).catch(absent)
  return told?.stdout.trim() || undefined
}

/** Whether a process runs; one that has ended but was not yet collected by its parent does not. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  if (process.platform !== 'linux') return true
  return !/\) [ZX] /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X '))
}

/** When a process began, as text to compare and no more: it tells a process apart from a later one with the same id. */
async function startOf(pid: number): Promise<string> {
  if (process.platform === 'win32') return ''
  if (process.platform !== 'linux') return (await ps(pid, 'lstart')) ?? ''
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field, the name, may hold spaces and brackets; the 22nd is the start in ticks since the machine's.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()} ${ticks}`
}

/** The command line of a running process, its arguments joined by spaces. */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return process.platform === 'win32' ? undefined : ps(pid, 'command')
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(absent)
  return text?.replaceAll('\0', ' ').trim() || undefined
}

/** The process that an owner file names, if it still runs. */
async function liveOwner(text: string): Promise<number | undefined> {
  try {
    const { pid, started } = JSON.parse(text) as { pid: number; started: string }
    return (await isRunning(pid)) && (await startOf(pid)) === started ? pid : undefined
  } catch {
    return undefined // cut short by a power failure
  }
}

/**
 * Makes this process the only owner of a data directory; what a dead owner left behind is taken over.
 * @returns gives the directory up again
 * @throws if another process that is still running owns it
 */
export async function claim(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'owner.json')
  const draft = `${file}.${randomUUID()}`
  const mine = JSON.stringify({ pid: process.pid, started: await startOf(process.pid) })
  const stillMine = async () => (await readFile(file, 'utf8').catch(absent)) === mine
  await writeFile(draft, mine)
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      // A link is made whole or not at all, so nobody reads half an owner.
      const won = await link(draft, file).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false
          throw error
        },
      )
      if (won) return async () => void ((await stillMine()) && (await rm(file, { force: true })))
      const theirs = await readFile(file, 'utf8').catch(absent)
      if (theirs === undefined) continue
      const pid = await liveOwner(theirs)
      if (pid)
        throw new Error(`The data directory ${dataDir} is in use by the running process ${pid}; stop that first.`)
      await removeStale(file, theirs)
    }
    throw new Error(`The data directory ${dataDir} could not be claimed: other processes are starting on it.`)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Removes the owner file if it is still the one that was judged; a newer one is put back. */
async function removeStale(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
    if ((await readFile(aside, 'utf8')) !== judged) await link(aside, file).catch(absent)
  } catch {
    // Another process was quicker: the next look shows who.
  } finally {
    await rm(aside, { force: true })
  }
}
