import {
  type Contender,
  contenders,
  type Export,
  type Exporter,
  exporters,
  type Load,
  median,
  type Operation,
} from './measure.ts'

/** What we mean to reach: requests or rows a second, as a multiple of another's. */
const goals: Record<Operation | 'export', Partial<Record<Contender, number>>> = {
  'get one': { ceiling: 0.6, postgrest: 2 },
  'list 50': { ceiling: 0.8, postgrest: 1.6 },
  'create one': { ceiling: 0.4, postgrest: 1 },
  'patch one': {},
  export: { ceiling: 0.8, postgrest: 3 },
}

const figure = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

function line(cells: readonly (string | number)[]): string {
  const widths = [12, 12, 14, 14, 14, 12, 12]
  return cells.map((cell, at) => String(cell)[at === 0 ? 'padEnd' : 'padStart'](widths[at] ?? 12)).join('')
}

/** How this service stands beside another, by speed and by processor time, and whether the goal is reached. */
function ratios(
  of: Operation | 'export',
  speed: Record<Exporter, number>,
  cpu: Record<Exporter, number>,
  suffix = '',
): void {
  for (const other of ['ceiling', 'postgrest'] as const) {
    const bySpeed = speed.beide / speed[other]
    const byCpu = cpu[other] / cpu.beide
    const goal = goals[of][other]
    const verdict = goal === undefined ? '' : `; goal ${goal}: ${bySpeed >= goal ? 'reached' : 'NOT REACHED'}`
    console.log(
      `  to ${other}${suffix}: ${figure(bySpeed, 2)} by speed, ${figure(byCpu, 2)} by processor time${verdict}`,
    )
  }
}

const each = <T, Name extends string>(seen: Record<Name, T[]>, of: (one: T) => number) =>
  Object.fromEntries(Object.entries<T[]>(seen).map(([name, all]) => [name, median(all.map(of))])) as Record<
    Name,
    number
  >

export function reportLoads(operation: Operation, seen: Record<Contender, Load[]>): void {
  const speed = each(seen, (one) => one.requestsPerSecond)
  const server = each(seen, (one) => one.serverMs)
  const postgres = each(seen, (one) => one.postgresMs)
  const cpu = each(seen, (one) => one.serverMs + one.postgresMs)
  console.log(`\n${line([operation, 'requests/s', 'server ms', 'postgres ms', 'together ms'])}`)
  for (const name of contenders) {
    const times = [server[name], postgres[name], cpu[name]].map((value) => figure(value, 3))
    console.log(line([name, figure(speed[name]), ...times]))
  }
  ratios(operation, speed, cpu)
  ratios(operation, { ...speed, beide: speed.anew }, { ...cpu, beide: cpu.anew }, ', nothing kept')
}

export function reportExports(seen: Record<Exporter, Export[]>): void {
  const speed = each(seen, (one) => one.rowsPerSecond)
  const cpu = each(seen, (one) => one.serverMs + one.postgresMs)
  console.log(
    `\n${line(['export', 'rows/s', 'server ms', 'postgres ms', 'first byte ms', 'peak MB'])} (ms for 1,000 rows)`,
  )
  for (const name of exporters) {
    const of = (what: (one: Export) => number, digits: number) => figure(median(seen[name].map(what)), digits)
    const times = [of((one) => one.serverMs, 1), of((one) => one.postgresMs, 1), of((one) => one.firstByteMs, 0)]
    const peak = figure(Math.max(...seen[name].map((one) => one.peakMb)))
    console.log(line([name, figure(speed[name]), ...times, peak]))
  }
  ratios('export', speed, cpu)
}

const residentGoalMb = 200

export function reportLarge(format: string, startMb: number, large: Export): void {
  const { rows, rowsPerSecond, peakMb, firstByteMs } = large
  const verdict = peakMb < residentGoalMb ? 'reached' : 'NOT REACHED'
  console.log(
    `\n${figure(rows)} lines of evaluation_scores.${format}: ${figure(rowsPerSecond)} rows/s, first byte after ` +
      `${figure(firstByteMs)} ms, at most ${figure(peakMb)} MB resident, ${figure(startMb)} MB before; goal ${residentGoalMb}: ${verdict}`,
  )
}
