import { type Load, load, median, type Target } from './measure.ts'

// What the measures of many partnerships cost: a page of them beside a page of the same partnerships as they are. Both
// are made anew each time.

const goal = 3
const pages = { plain: '/v1/partnerships?limit=50', measures: '/v1/partnership-measures?limit=50' } as const

/** Both pages in turns. */
export async function compareMeasures(
  target: Target,
  { seconds, turns }: { seconds: number; turns: number },
): Promise<void> {
  const seen: Record<keyof typeof pages, Load[]> = { plain: [], measures: [] }
  const page = (name: keyof typeof pages, time: number) =>
    load(target, { method: 'GET', next: () => ({ path: pages[name] }) }, time)
  for (const name of ['plain', 'measures'] as const) await page(name, 1)
  for (let n = 0; n < turns; n += 1) {
    for (const name of ['plain', 'measures'] as const) seen[name].push(await page(name, seconds))
  }
  const speed = (name: keyof typeof pages) => median(seen[name].map((one) => one.requestsPerSecond))
  const cpu = (name: keyof typeof pages) => median(seen[name].map((one) => one.serverMs + one.postgresMs))
  const [bySpeed, byCpu] = [speed('plain') / speed('measures'), cpu('measures') / cpu('plain')]
  const figure = (value: number) => value.toFixed(value < 100 ? 2 : 0)
  console.log(
    `\nmeasures of 50 partnerships: ${figure(speed('measures'))} requests/s, ${figure(cpu('measures'))} ms together; as ` +
      `they are: ${figure(speed('plain'))}, ${figure(cpu('plain'))} ms\n  ${figure(bySpeed)} times as long, ` +
      `${figure(byCpu)} times the processor time; goal ${goal}: ${bySpeed <= goal ? 'reached' : 'NOT REACHED'}`,
  )
}
