import type { Test } from 'tap'

// What a test file imports as `tap` in a process that runs many: the subtest that stands for the file.

let current: Test | undefined

export function openFile(test: Test): void {
  current = test
}

export { current as default }
