import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/**
 * Tells of test files as they end: one line for each that passes, and what it comments on; for one that fails, or is cut
 * off, all that went wrong in it.
 * @param tap what tap writes in one process: test files one after another, each as a subtest
 */
export async function report(tap: Readable, print: (line: string) => void): Promise<void> {
  let told: string[] = []
  for await (const line of createInterface({ input: tap })) {
    const [, verdict, name] = /^(ok|not ok) \d+ - (.*)$/.exec(line) ?? []
    if (verdict !== undefined && name !== undefined) {
      if (verdict === 'not ok') for (const fault of faultsOf(told)) print(fault)
      print(`${verdict === 'ok' ? 'ok    ' : 'not ok'} ${name.replace(/ # time=/, '  ').replace(/ \{$/, '')}`)
      if (verdict === 'ok') for (const figure of commentsOf(told)) print(`         ${figure}`)
      told = []
    } else told.push(line)
  }
  for (const fault of faultsOf(told)) print(fault)
}

/** What a test file that passed says beside that: figures that it measured. */
const commentsOf = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^\s+# ((?!Subtest|time=|failed |skip: |todo: |\{ total).+)$/.exec(line)?.[1] ?? [])

/** Of the lines of a test file: without what passed, its plans and its times. */
function faultsOf(lines: string[]): string[] {
  const kept: string[] = []
  for (const line of lines) {
    if (/^\s+ok \d+/.test(line)) {
      // The heading of a subtest that passed is the last that was kept.
      const heading = line.replace(/^(\s*)ok \d+ - (.*?)( # time=.*)?$/, '$1# Subtest: $2')
      if (kept.at(-1) === heading) kept.pop()
    } else if (!/^\s*(1\.\.\d+.*|# time=.*|# (failed|skip|todo): .*|# \{ total: .*|TAP version 14|)$/.test(line))
      kept.push(line)
  }
  return kept
}

/** The line that ends a run, such as `412 passed, 0 failed, 3 skipped`. */
export function summaryOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
