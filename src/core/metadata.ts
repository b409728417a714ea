import type { Faults } from './problem.ts'

const bytesMax = 16 * 1024

/** Keys and their number are for the schema; the size as a whole is for this. */
export function checkMetadata(metadata: unknown, faults: Faults): void {
  if (metadata === undefined || metadata === null) return
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  if (bytes > bytesMax) faults.add('/metadata', 'too_large', `Metadata may be ${bytesMax} bytes of JSON, not ${bytes}.`)
}
