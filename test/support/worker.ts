import { pathToFileURL } from 'node:url'
import t from 'tap'
import { openFile } from './tap-of-file.ts'
import './whole-patterns.ts'
import type { FileDone } from './workers.ts'

// A process of the run. It imports the test files that it is sent, one after another, each as a subtest: what the
// service, the contract and tap cost to load, to compile and to become fast is paid once, not by every file.

const fileTimeoutMs = 600_000
const endTimeoutMs = 30_000
/** A file keeps the service that it started, some 10 MB, for as long as its process lives. */
const heapMaxBytes = 700e6

async function run(file: string): Promise<FileDone> {
  // Tap tells the parent of it too, which ends a process that is too busy to see that its time is over.
  t.setTimeout(fileTimeoutMs)
  let counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
  const results = await t.test(file, { at: null }, async (test) => {
    counts = test.counts
    test.setTimeout = (ms) => t.setTimeout(ms)
    openFile(test)
    await import(pathToFileURL(file).href)
  })
  t.setTimeout(0)
  const isOk = results?.ok ?? false
  return {
    isOk,
    // Who knows what a file that failed has left running?
    takesMore: isOk && process.memoryUsage().heapUsed < heapMaxBytes,
    counts: { passed: counts.pass, failed: counts.fail, skipped: counts.skip + counts.todo },
  }
}

process.on('message', async ({ file }: { file?: string }) => {
  if (file !== undefined) process.send?.(await run(file))
})

process.once('disconnect', () => {
  setTimeout(() => {
    console.error(`Test files left this running: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(1)
  }, endTimeoutMs).unref()
})

// Where it writes to standard output, tap lets the process end although it has a channel: here the next file comes over it.
t.pipe(process.stdout)
process.channel?.ref()
