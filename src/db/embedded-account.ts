import { execFile } from 'node:child_process'
import { chown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** What the programs of Postgres see of our environment: nothing, so that no PGPORT, TZ or NODE_OPTIONS reaches them. */
const environment =
  process.platform === 'win32' ? {} : { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' } }

/** Under whom Postgres runs. It refuses to be root, whom many containers and fresh machines know only. */
export interface Account {
  /** As root: whom the files of the cluster belong to. */
  files?: Owner
  /** How a program is started under this account. */
  launch(program: string, args: string[]): { program: string; args: string[]; options: LaunchOptions }
}

export interface Owner {
  uid: number
  gid: number
}

interface LaunchOptions extends Partial<Owner> {
  env?: Record<string, string>
}

const self: Account = { launch: (program, args) => ({ program, args, options: environment }) }

/** Root steps down to another account. */
const other = (owner: Owner): Account => ({
  files: owner,
  launch: (program, args) => ({ program, args, options: { ...environment, ...owner } }),
})

/**
 * Root stays root for files, but is somebody else in its own eyes: a user namespace with one user in it. The way for a
 * checkout that no other account can reach, such as one in root's home directory.
 */
const disguised = (seen: Owner): Account => ({
  files: { uid: 0, gid: 0 },
  launch: (program, args) => ({
    program: 'unshare',
    args: ['--user', `--map-user=${seen.uid}`, `--map-group=${seen.gid}`, '--', program, ...args],
    options: environment,
  }),
})

async function lookUp(name: string): Promise<Owner | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => exec('id', [flag, name], environment)))
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
  } catch {
    return undefined
  }
}

/** The account of the service, made where there is none; undefined where none can be made, as on a read-only root. */
async function postgresAccount(): Promise<Owner | undefined> {
  const present = await lookUp('postgres')
  if (present) return present
  try {
    await exec('groupadd', ['--system', '--force', 'postgres'], environment)
    const flags = ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/usr/sbin/nologin']
    await exec('useradd', [...flags, 'postgres'], environment)
  } catch {
    // Another process may have made it meanwhile.
  }
  return lookUp('postgres')
}

/** Whether an account can enter a directory and run a program: tried, not computed, for rights have many sources. */
async function canReach(account: Account, directory: string, program: string): Promise<boolean> {
  const probe = account.launch('/bin/sh', ['-c', 'cd "$1" && "$2" --version', 'sh', directory, program])
  return exec(probe.program, probe.args, { ...probe.options, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

/**
 * The account for a Postgres program and its data directory.
 * @param current whom the files of the cluster belong to now, where there is one
 * @throws as root, if no account can reach both; the message says what to do
 */
export async function chooseAccount(program: string, directory: string, current?: Owner): Promise<Account> {
  if (process.getuid?.() !== 0) return self
  if (current && current.uid !== 0) {
    const account = other(current)
    if (await canReach(account, directory, program)) return account
  }
  const postgres = await postgresAccount()
  if (postgres) {
    const account = other(postgres)
    if (await canReach(account, directory, program)) return account
  }
  const nobody = await lookUp('nobody')
  if (nobody) {
    const account = disguised(nobody)
    if (await canReach(account, directory, program)) return account
  }
  throw new Error(
    `Postgres refuses to run as root and no other account can use ${program} on ${directory}: start as an ordinary ` +
      'user, or move the program and DATA_DIR to where the account "postgres" may read, or set DATABASE_URL.',
  )
}

/** Gives a directory and all that is in it to the account. Links are not followed. */
export async function giveTo(owner: Owner, directory: string): Promise<void> {
  await chown(directory, owner.uid, owner.gid)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await giveTo(owner, path)
    else if (entry.isFile()) await chown(path, owner.uid, owner.gid)
  }
}
