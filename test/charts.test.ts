import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { element, escapeXml } from '../src/core/svg.ts'
import { portfolioChart } from '../src/resources/portfolio/chart.ts'
import type { PortfolioRow } from '../src/resources/portfolio/schemas.ts'
import { standardThresholds } from '../src/resources/thresholds/schemas.ts'
import { type Json, startService } from './support/harness.ts'
import { agreed, allianceTakenOver, pathOf } from './support/promises.ts'
import { answersWith, openRound, respond } from './support/rounds.ts'
import { organisation, pauseOf, stepOf } from './support/world.ts'

const executablePath = '/usr/bin/chromium'
const clock = fixedClock('2026-01-01T12:00:00Z')
const service = await startService(t, { clock })
const charity = await organisation(service, 'non_profit')
const hostile = '<script>alert("1")</script> & Zn\u0007 ]]>'

/** A portfolio with a paused, an unjudged and an oddly named alliance, and a disruption that touched them all. */
async function tell(): Promise<{ disruption: Json }> {
  const objective = await service.make('/v1/objectives', {
    ...{ organisation_id: charity.id, level: 'impact', title: 'Reading', importance: 3, active_from: '2026-01-01' },
  })
  const disruption = await service.make('/v1/disruptions', {
    ...{ title: 'Corona & <zo>', type: 'pandemic', started_on: '2026-01-01' },
  })
  for (const [at, contribution] of [3, 1, 2, null].entries()) {
    const name = at === 0 ? hostile.replace('\u0007', '') : `Samen ${at}`
    const seats = await allianceTakenOver(service, { charity, partnership: { name } })
    const { partnership } = seats
    const [gift, other] = [await agreed(service, seats), await agreed(service, seats)]
    await service.make('/v1/impacts', {
      ...{ disruption_id: disruption.id, partnership_id: partnership.id, severity: 'low', effects: ['income_down'] },
      response: 'none_needed',
    })
    if (contribution !== null) {
      await service.make('/v1/objective-links', {
        ...{ partnership_id: partnership.id, objective_id: objective.id, contribution },
      })
      const round = await openRound(service, partnership)
      for (const party of partnership.parties) await respond(service, round, party, answersWith(4 - at))
    }
    if (at === 1)
      await stepOf(service, pathOf(gift), 'release', { party_id: seats.charity, reason: 'You need it more' })
    if (at === 2) await stepOf(service, `/v1/partnerships/${partnership.id}`, 'pause', pauseOf(partnership))
    if (at === 3) {
      await stepOf(service, pathOf(other), 'lapse', { party_id: seats.charity, reason: 'Closed' })
      await agreed(service, seats, { reciprocity: 'additional', title: 'Extra' })
    }
  }
  return { disruption }
}
const { disruption } = await tell()

const drawn = async (path: string): Promise<string> => {
  const answer = await service.get(path)
  if (answer.status !== 200 || answer.headers['content-type'] !== 'image/svg+xml; charset=utf-8') {
    throw new Error(`${path}: ${answer.status} ${answer.text}`)
  }
  return answer.text
}
const pictures: Record<string, string> = {}
for (const language of ['en', 'nl']) {
  pictures[`portfolio ${language}`] = await drawn(
    `/v1/portfolio/chart.svg?organisation_id=${charity.id}&language=${language}`,
  )
  pictures[`disruption ${language}`] = await drawn(`/v1/disruptions/${disruption.id}/chart.svg?language=${language}`)
}

t.test('a text tells what the picture shows, in the language asked for', async (t) => {
  const said = (name: string) => /<desc[^>]*>([^<]*)<\/desc>/.exec(pictures[name] ?? '')?.[1]
  t.match(said('portfolio en'), /Samen 1: fit 33.33, score 66.7, at risk[.]/)
  t.match(said('portfolio en'), /Samen 2: fit 66.66, score 51.7, at risk, paused[.]/)
  t.match(said('portfolio en'), /1 not shown: not yet assessed or not yet judged/)
  t.match(said('portfolio nl'), /Samen 1: bijdrage 33.33/)
  // Of eight, one was released, one lapsed, two stand still with their partnership, and one was added.
  t.equal(
    said('disruption en'),
    'kept: 4, paused: 2, substituted: 0, lapsed: 1, released: 1, cancelled: 0, given extra: 1.',
  )
  t.match(said('disruption nl'), /kwijtgescholden: 1/)
  for (const [name, text] of Object.entries(pictures)) t.notMatch(text, /<script|<zo>/, name)
  t.equal((await service.get(`/v1/disruptions/${disruption.id}/chart.svg?language=xx`)).status, 400)
  t.equal((await service.get(`/v1/disruptions/${charity.id}/chart.svg`)).status, 404)
  const empty = await organisation(service, 'non_profit')
  t.match(await drawn(`/v1/portfolio/chart.svg?organisation_id=${empty.id}`), /Nothing to show/)
})

t.test('nothing gets into a picture that XML does not allow', async (t) => {
  t.equal(escapeXml('a\u0000\u0007<b>&"\'\uFFFE'), 'a&#60;b&#62;&#38;&#34;&#39;')
  t.equal(element('a', { b: '"<', c: undefined, d: 1.23456 }, 'x'), '<a b="&#34;&#60;" d="1.23">x</a>')
})

t.test('amounts in several currencies are not compared: all are of one size', async (t) => {
  const [row] = (await service.get(`/v1/portfolio?organisation_id=${charity.id}&score_from=0`)).body.data
  const other = { ...row, outstanding: { ...row.outstanding, value: { amount: '1.00', currency: 'USD' } } }
  const about = { as_of: '2026-01-01', language: 'en', thresholds: standardThresholds } as const
  const radii = (rows: PortfolioRow[]) =>
    new Set(
      [
        ...portfolioChart(rows, about).matchAll(
          /class="(?:plain|hatched)[^"]*" cx="(?!598)[^"]*" cy="[^"]*" r="([\d.]+)"/g,
        ),
      ].map(([, r]) => r),
    )
  t.equal(radii([row, other]).size, 1)
  const settled = { ...row, outstanding: { ...row.outstanding, value: { ...row.outstanding.value, amount: '0.00' } } }
  const drawnOf = [...radii([row, settled])].map(Number)
  t.ok(drawnOf.length > 0 && Math.min(...drawnOf) >= 12, 'the smallest shows its hatching beside its number')
  t.match(portfolioChart([row, other], about), /amounts in several currencies are not compared/)
})

/** What a browser makes of an SVG; runs there, where there is a document. */
const look = `(source) => {
  const parsed = new DOMParser().parseFromString(source, 'image/svg+xml')
  const root = document.body.appendChild(
  document.importNode(parsed.documentElement, true),
  )
  const frame = root.viewBox.baseVal
  const outside = [...root.querySelectorAll('text')].filter((one) => {
  const { left, right, top, bottom } = one.getBoundingClientRect()
  return left < 0 || top < 0 || right > frame.width || bottom > frame.height
  })
  return {
  fault: parsed.querySelector('parsererror')?.textContent ?? null,
  root: root.localName,
  title: root.querySelector('title')?.textContent,
  description: root.querySelector('desc')?.textContent,
  outside: outside.map((one) => one.textContent),
  paper: getComputedStyle(root).backgroundColor,
  ink: getComputedStyle(root.querySelector('text')).fill,
  }
}`

t.test(
  'a browser reads them as SVG, in the light and in the dark',
  {
    skip: existsSync(executablePath) ? false : `there is no browser at ${executablePath}`,
  },
  async (t) => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    t.teardown(() => browser.close())
    for (const [name, text] of Object.entries(pictures)) {
      const papers: string[] = []
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme })
        await page.setContent('<body style="margin:0"></body>')
        const seen = (await page.evaluate(`(${look})(${JSON.stringify(text)})`)) as Json
        t.match(seen, { fault: null, root: 'svg', outside: [] }, `${name} ${colorScheme}`)
        t.ok(seen.title && seen.description, `${name} is told in words`)
        t.not(seen.paper, seen.ink)
        papers.push(seen.paper)
        if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/${name} ${colorScheme}.png` })
        await page.close()
      }
      t.not(papers[0], papers[1], `${name} has a dark side`)
    }
  },
)
