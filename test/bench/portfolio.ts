import pg from 'pg'
import { systemClock } from '../../src/core/clock.ts'
import { asOwner, createTenant } from '../../src/db/tenants.ts'
import { startBeide } from './contenders.ts'
import { seedPortfolio } from './portfolio-seed.ts'

const ratioGoal = 5

/**
 * A page of 50 of the portfolio of a charity that is a party to all partnerships of its tenant, beside the plain list of
 * the same ones in the same order, taking turns; each by the fastest quarter of its answers, for the machine does other
 * things too.
 */
export async function benchPortfolio(url: string, partnerships: number, turns = 60): Promise<void> {
  const tenant = await asOwner(url, (client) =>
    createTenant(client, systemClock, { name: 'portfolio', keyName: 'bench', scopes: ['admin'] }),
  )
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  const charity = await seedPortfolio(owner, tenant.tenantId, partnerships)
  await owner.query('vacuum analyze')
  await owner.end()
  // The plain list as it is made, not as it is remembered.
  const beide = await startBeide(url, { KEPT_MB: '0' })
  try {
    const ask = async (path: string): Promise<number> => {
      const start = performance.now()
      const response = await fetch(`${beide.url}${path}`, { headers: { authorization: `Bearer ${tenant.key}` } })
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`)
      return performance.now() - start
    }
    const query = `organisation_id=${charity}&limit=50&sort=name`
    const paths = { list: `/v1/partnerships?${query}`, portfolio: `/v1/portfolio?${query}` }
    const seen = { list: [] as number[], portfolio: [] as number[] }
    for (let turn = 0; turn < turns; turn += 1) {
      for (const name of ['list', 'portfolio'] as const) seen[name].push(await ask(paths[name]))
    }
    // The first answers of a process plan what the later ones run.
    const quarter = (times: number[]) => times.slice(turns / 4).sort((a, b) => a - b)[Math.floor(turns / 6)] ?? 0
    const [list, portfolio] = [quarter(seen.list), quarter(seen.portfolio)]
    const ratio = portfolio / list
    console.log(
      `\nportfolio page of 50 over ${partnerships} partnerships: ${portfolio.toFixed(1)} ms, the plain list ` +
        `${list.toFixed(1)} ms; ${ratio.toFixed(1)} times, goal ${ratioGoal}: ${ratio <= ratioGoal ? 'reached' : 'NOT REACHED'}`,
    )
  } finally {
    await beide.stop()
  }
}
