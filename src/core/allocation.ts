/** What was delivered for good: it counts from the day of its confirmation until the day it is reversed. */
export interface Entry {
  /** The instalment that it was reported for; without one it settles in order. */
  seq: number | null
  units: bigint
  on: string
  reversed_on: string | null
}

/**
 * Lays deliveries on instalments: those reported for a number on that one; what that one does not need, and those
 * without a number, in order on what is still open. Only sums count, so the order of reports does not matter.
 */
export function allocate(
  instalments: readonly { seq: number; units: bigint; is_skipped: boolean }[],
  entries: readonly Pick<Entry, 'seq' | 'units'>[],
): { settled: Map<number, bigint>; surplus: bigint } {
  const open = instalments.filter((instalment) => !instalment.is_skipped).toSorted((a, b) => a.seq - b.seq)
  const numbered = new Map<number, bigint>(open.map(({ seq }) => [seq, 0n]))
  let pool = 0n
  for (const { seq, units } of entries) {
    const own = seq === null ? undefined : numbered.get(seq)
    if (seq === null || own === undefined) pool += units
    else numbered.set(seq, own + units)
  }
  const settled = new Map<number, bigint>()
  for (const { seq, units } of open) {
    const own = numbered.get(seq) ?? 0n
    settled.set(seq, own < units ? own : units)
    pool += own > units ? own - units : 0n
  }
  for (const { seq, units } of open) {
    const lacking = units - (settled.get(seq) ?? 0n)
    const given = pool < lacking ? pool : lacking
    settled.set(seq, units - lacking + given)
    pool -= given
  }
  return { settled, surplus: pool }
}
