import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import t from 'tap'
import { roundChart } from '../src/resources/evaluations/chart.ts'
import type { ScoreRow } from '../src/resources/evaluations/scoring.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import {
  answersWith,
  individualRound,
  nowhere,
  openRound,
  partnershipOf,
  respond,
  review,
  roundIn,
  stepRound,
} from './support/rounds.ts'

const executablePath = '/usr/bin/chromium'
const service = await startService(t)
const partnership = await partnershipOf(service)
const chartOf = (round: Json, query = '', options = {}): Promise<Answer> =>
  service.get(`/v1/evaluations/${round.id}/chart.svg${query}`, options)
const descOf = ({ text }: { text: string }): string => /<desc[^>]*>([^<]*)<[/]desc>/.exec(text)?.[1] ?? ''
const submit = (token: string, points: number) =>
  service.call('POST', `/v1/answers/${token}/submit`, { answers: answersWith(points) }, { key: null })

const judged = await openRound(service, partnership)
await respond(service, judged, partnership.parties[0], answersWith(4))
await respond(service, judged, partnership.parties[1], answersWith(2))

/** Persons of one side alone are enough to be shown. */
const persons = await individualRound(service, partnership, { company: 4, non_profit: 3 }, { kind: 'renewal' })
for (const token of persons.tokens['company'] ?? []) await submit(token, 3)
for (const token of (persons.tokens['non_profit'] ?? []).slice(1)) await submit(token, 1)
await stepRound(service, persons.round, 'close')

const pictures: Record<string, Answer> = {}
for (const language of ['en', 'nl']) {
  pictures[`parties ${language}`] = await chartOf(judged, `?language=${language}`)
  pictures[`persons ${language}`] = await chartOf(persons.round, `?language=${language}`)
}
const pictureOf = (name: string): Answer => pictures[name] as Answer

t.test('a text tells what the picture shows, in the language asked for', async (t) => {
  for (const { status, headers } of Object.values(pictures)) {
    t.strictSame([status, headers['content-type']], [200, 'image/svg+xml; charset=utf-8'])
  }
  const { scores, gaps } = (await service.get(`/v1/evaluations/${judged.id}/scores`)).body
  const plain = (score: string) => String(Math.round(Number(score) * 10) / 10)
  for (const { code, label } of review.dimensions) {
    const [company, charity] = ['company', 'non_profit'].map(
      (side) => scores.find((row: Json) => row.level === 'dimension' && row.code === code && row.side === side).score,
    )
    const { gap, is_flagged } = gaps.find((row: Json) => row.level === 'dimension' && row.code === code)
    const apart = is_flagged ? `, ${plain(gap.replace('-', ''))} apart` : ''
    t.match(
      descOf(pictureOf('parties en')),
      `${label['en']}: Company ${plain(company)}, Non-profit ${plain(charity)}${apart}. `,
      code,
    )
    t.match(
      descOf(pictureOf('parties nl')),
      `${label['nl']}: Bedrijf ${plain(company).replace('.', ',')}, Goed doel`,
      code,
    )
  }
  t.match(pictureOf('parties en').text, '<title id="title">Periodic evaluation, 1 January 2026 to 30 June 2026</title>')
  t.match(pictureOf('parties nl').text, 'Periodieke evaluatie, 1 januari 2026 tot en met 30 juni 2026')
  t.equal((await chartOf(judged)).text, pictureOf('parties en').text, 'English is what is not asked for')
})

t.test('what is withheld is said to be, and no value of it is drawn', async (t) => {
  const { scores } = (await service.get(`/v1/evaluations/${persons.round.id}/scores`)).body
  t.ok(
    scores.filter(({ side }: Json) => side === 'non_profit').every((row: Json) => row.suppression_reason === 'too_few'),
  )
  t.match(descOf(pictureOf('persons en')), /Overall: Company [\d.]+, Non-profit withheld[.] /)
  t.match(descOf(pictureOf('persons nl')), /Het geheel: Bedrijf [\d,]+, Goed doel niet getoond[.] /)
  const { text } = pictureOf('persons en')
  const diamonds = text.match(/<polygon/g)?.length
  t.equal(diamonds, 2 + review.dimensions.length, 'one in the legend and one beside each word, none on a line')
  t.match(text, 'Withheld: it would tell of fewer than 3 persons')
  t.notMatch(text, /apart/)
  const other: ScoreRow[] = scores.map((row: Json) =>
    row.suppression_reason ? { ...row, suppression_reason: 'complementary' } : row,
  )
  const about = { evaluation: persons.round, template: review }
  t.equal(roundChart({ ...about, scores: other }, 'en'), text, 'nor does it tell why')
})

t.test('it is refused where the scores are: blind, cancelled, unknown', async (t) => {
  for (const status of ['planned', 'open', 'cancelled']) {
    isProblem(t, await chartOf(await roundIn(service, partnership, status)), 'state_forbids')
  }
  isProblem(t, await chartOf({ id: nowhere }), 'not_found')
  isProblem(t, await chartOf(judged, '?language=fr'), 'invalid_request')
  const key = await service.keyWith(['partnerships:read'])
  isProblem(t, await chartOf(judged, '', { key }), 'forbidden')
})

t.test('a caller that has it already is told so, in each language by itself', async (t) => {
  const { etag } = pictureOf('parties en')
  const known = { headers: { 'if-none-match': etag } }
  const again = await chartOf(judged, '', known)
  t.strictSame([again.status, again.text, again.etag], [304, '', etag])
  t.equal((await chartOf(judged, '?language=nl', known)).status, 200)
  await stepRound(service, judged, 'conclude', {
    conclusion: 'On.',
    decisions: [{ aspect: 'why', decision: 'continue' }],
  })
  t.equal((await chartOf(judged, '', known)).status, 304, 'it tells nothing of what came after closing')
})

t.test('partners are shown the picture of rounds whose scores they are shown', async (t) => {
  const keyOf = async (organisation_id: string): Promise<string> =>
    (
      await service.make('/v1/api-keys', {
        name: 'Portal',
        scopes: ['evaluations:read'],
        organisation_ids: [organisation_id],
      })
    ).key
  const key = await keyOf(partnership.parties[0].organisation_id)
  t.equal((await chartOf(judged, '?language=nl', { key })).text, pictureOf('parties nl').text)
  t.equal((await chartOf(judged, '', { key, headers: { 'if-none-match': pictureOf('parties en').etag } })).status, 304)
  isProblem(t, await chartOf(await roundIn(service, partnership, 'open'), '', { key }), 'state_forbids')
  const stranger = await partnershipOf(service)
  isProblem(t, await chartOf(judged, '', { key: await keyOf(stranger.parties[0].organisation_id) }), 'not_found')
})

/** Four sides, scores at both ends and on one spot, a long name, and one who did not answer. */
function crowded(): string {
  const sides = ['company', 'non_profit', 'public', 'other'] as const
  const long = 'Een dimensie <met> een naam die nergens "past" & toch moet'
  const dimensions = ['a', 'b', 'c'].map((code) => ({ code, label: { nl: long, en: long }, weight: 1 }))
  const values = [
    ['0', '100', '50', null],
    ['50', '50', '50', '50'],
    ['19.95', '39.95', '99.999999', '0.05'],
    ['33.333333', '66.666667', '100', '0'],
  ]
  const scores = values.flatMap((row, at) =>
    sides.map(
      (side, place): ScoreRow => ({
        ...{ side, level: at === 0 ? 'overall' : 'dimension', code: at === 0 ? 'overall' : ('abc'[at - 1] as string) },
        ...{ dimension: at === 0 ? null : ('abc'[at - 1] as string), n: 1, score: row[place] ?? null, spread: null },
        suppression_reason: null,
      }),
    ),
  )
  return roundChart({ evaluation: persons.round, template: { dimensions }, scores }, 'nl')
}

/** What a browser makes of an SVG; runs there, where there is a document. */
const look = `(source) => {
  const parsed = new DOMParser().parseFromString(source, 'image/svg+xml')
  const root = document.body.appendChild(document.importNode(parsed.documentElement, true))
  const frame = root.viewBox.baseVal
  const texts = [...root.querySelectorAll('text')]
  const boxes = texts.map((one) => ({ text: one.textContent, ...one.getBoundingClientRect().toJSON() }))
  const overlaps = boxes.flatMap((a, at) => boxes.slice(at + 1)
    .filter((b) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
    .map((b) => a.text + ' over ' + b.text))
  const colours = [...root.querySelectorAll('*')].flatMap((one) => {
    const { fill, stroke } = getComputedStyle(one)
    return [fill, stroke]
  })
  const isGrey = (colour) => { const [r, g, b] = colour.match(/\\d+/g) ?? []; return r === g && g === b }
  return {
    fault: parsed.querySelector('parsererror')?.textContent ?? null,
    root: root.localName,
    role: root.getAttribute('role'),
    told: [root.querySelector('title').textContent !== '', root.querySelector('desc').textContent !== ''],
    outside: boxes.filter(({ left, right, top, bottom }) => left < 0 || top < 0 || right > frame.width || bottom > frame.height),
    overlaps,
    coloured: colours.filter((colour) => colour.startsWith('rgb') && !isGrey(colour)),
    paper: getComputedStyle(root).backgroundColor,
    ink: getComputedStyle(root.querySelector('text')).fill,
  }
}`

t.test(
  'a browser reads it as SVG without colours, in the light and in the dark, and shows it as an image on a telephone',
  { skip: existsSync(executablePath) ? false : `there is no browser at ${executablePath}` },
  async (t) => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    t.teardown(() => browser.close())
    const sources = Object.entries(pictures).map(([name, { text }]): [string, string] => [name, text])
    for (const [name, source] of [...sources, ['crowded', crowded()] as [string, string]]) {
      const papers: string[] = []
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme, viewport: { width: 360, height: 700 } })
        await page.setContent('<body style="margin:0"></body>')
        const seen = (await page.evaluate(`(${look})(${JSON.stringify(source)})`)) as Json
        const { paper, ink, ...rest } = seen
        t.strictSame(
          rest,
          { fault: null, root: 'svg', role: 'img', told: [true, true], outside: [], overlaps: [], coloured: [] },
          `${name} ${colorScheme}`,
        )
        t.not(paper, ink)
        papers.push(paper)
        const image = `data:image/svg+xml;base64,${Buffer.from(source).toString('base64')}`
        await page.setContent(`<body style="margin:0"><img alt="" style="width:100%" src="${image}"></body>`)
        const shown = await page.evaluate(
          'document.images[0].decode().then(() => document.images[0].getBoundingClientRect().height)',
        )
        t.ok((shown as number) > 100, 'an image of some height')
        if (process.env['SHOTS'])
          await page.screenshot({ path: `${process.env['SHOTS']}/${name} ${colorScheme}.png`, fullPage: true })
        await page.close()
      }
      t.not(papers[0], papers[1], `${name} has a dark side`)
    }
  },
)
