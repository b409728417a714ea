import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The path of the program of tap. */
export const tapProgram = fileURLToPath(new URL('run.mjs', import.meta.resolve('tap')))

/** Also named in .taprc: node strips the types itself; nothing is mocked, and the hook for it costs each file half a second. */
const left = ['@tapjs/typescript', '@tapjs/mock']

/**
 * Makes tap build itself without what .taprc turns off, unless it did so already: once
 * for each installation.
 */
export async function buildTap(): Promise<void> {
  const built = fileURLToPath(import.meta.resolve('@tapjs/test/built'))
  const code = await readFile(built, 'utf8').catch(() => '')
  if (code !== '' && !left.some((plugin) => code.includes(plugin))) return
  await promisify(execFile)(process.execPath, [tapProgram, 'build'])
}
