import { glob, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const memory = fileURLToPath(new URL('../../.tap/times.json', import.meta.url))

/** How long each test file took when it last passed, in milliseconds. */
export type Times = Record<string, number>

const remembered = async (): Promise<Times> => JSON.parse(await readFile(memory, 'utf8').catch(() => '{}'))

/**
 * The test files that these patterns name, all of them where there is none. Those that took longest come first, so that
 * none of them is left to run alone at the end; before them, the largest first, those of which no time is known.
 * @throws where a pattern names no file, or none that another does not name
 */
export async function testFiles(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns.length > 0 ? patterns : ['test/**/*.test.ts']) {
    const before = found.size
    for await (const file of glob(pattern)) found.add(file)
    if (found.size === before) throw new Error(`There is no test file ${pattern}.`)
  }
  const times = await remembered()
  const sizes = new Map<string, number>()
  for (const file of found) sizes.set(file, (await stat(file)).size)
  const cost = (file: string) => [times[file] ?? Number.POSITIVE_INFINITY, sizes.get(file) ?? 0] as const
  return [...found].sort((a, b) => {
    const [timeA, sizeA] = cost(a)
    const [timeB, sizeB] = cost(b)
    return timeA === timeB ? sizeB - sizeA : timeB - timeA
  })
}

/** Keeps how long files took, for the order of the next run. */
export async function remember(times: Times): Promise<void> {
  const all = { ...(await remembered()), ...times }
  await mkdir(dirname(memory), { recursive: true })
  await writeFile(memory, `${JSON.stringify(all, undefined, 1)}\n`)
}
