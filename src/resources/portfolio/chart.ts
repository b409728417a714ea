import { element, label, picture, shortened } from '../../core/svg.ts'
import type { ThresholdValues } from '../thresholds/schemas.ts'
import type { PortfolioRow } from './schemas.ts'

export const chartLanguages = ['en', 'nl'] as const
export type ChartLanguage = (typeof chartLanguages)[number]

const words = {
  en: {
    title: (day: string) => `The portfolio on ${day}`,
    fit: 'Strategic fit',
    score: 'Score of the relationship',
    sound: 'no rule fires',
    risk: 'at risk',
    paused: 'dashed: paused',
    size: (currency: string) => `The larger, the more is outstanding (${currency})`,
    sameSize: 'All of one size: amounts in several currencies are not compared',
    left: (count: number) => `${count} not shown: not yet assessed or not yet judged`,
    more: (count: number) => `${count} more in the picture than are named here`,
    one: (name: string, fit: string, score: string, marks: string) => `${name}: fit ${fit}, score ${score}${marks}`,
    none: 'Nothing to show: no partnership has both a strategic fit and a score.',
    isRisk: 'at risk',
    isPaused: 'paused',
  },
  nl: {
    title: (day: string) => `De portefeuille op ${day}`,
    fit: 'Strategische bijdrage',
    score: 'Score van de relatie',
    sound: 'geen regel slaat aan',
    risk: 'risico',
    paused: 'streepjes: gepauzeerd',
    size: (currency: string) => `Hoe groter, hoe meer er nog te leveren is (${currency})`,
    sameSize: 'Alle even groot: bedragen in verschillende valuta worden niet vergeleken',
    left: (count: number) => `${count} niet getoond: nog niet beoordeeld of nog niet geëvalueerd`,
    more: (count: number) => `${count} staan er wel in, maar worden hier niet genoemd`,
    one: (name: string, fit: string, score: string, marks: string) =>
      `${name}: bijdrage ${fit}, score ${score}${marks}`,
    none: 'Niets te tonen: geen samenwerking heeft zowel een strategische bijdrage als een score.',
    isRisk: 'risico',
    isPaused: 'gepauzeerd',
  },
} as const

const plot = { left: 70, top: 60, size: 480 }
const width = 920
const namedMax = 40
const x = (fit: number): number => plot.left + (fit / 100) * plot.size
const y = (score: number): number => plot.top + plot.size - (score / 100) * plot.size

interface Point {
  row: PortfolioRow
  fit: number
  score: number
  radius: number
}

/** Where each stands, the largest first, so that none hides another. */
function pointsOf(rows: readonly PortfolioRow[], isOneCurrency: boolean): Point[] {
  const amountOf = (row: PortfolioRow) => Number(row.outstanding.value.amount)
  const most = Math.max(1, ...rows.map(amountOf))
  return rows
    .flatMap((row) => {
      const { fit } = row.strategy
      const score = row.scores?.score ?? null
      if (fit === null || score === null) return []
      // It grows as the root of the amount, as areas do; the smallest is wider than its number, so that hatching shows.
      const radius = isOneCurrency ? 14 + 18 * Math.sqrt(amountOf(row) / most) : 16
      return [{ row, fit: Number(fit), score: Number(score), radius }]
    })
    .sort((a, b) => b.radius - a.radius)
}

const marksOf = ({ is_at_risk, status }: PortfolioRow, { isRisk, isPaused }: (typeof words)[ChartLanguage]) =>
  [...(is_at_risk ? [isRisk] : []), ...(status === 'paused' ? [isPaused] : [])].map((mark) => `, ${mark}`).join('')

function axes({ fit, score }: (typeof words)[ChartLanguage], thresholds: ThresholdValues): string[] {
  const { left, top, size } = plot
  const [right, bottom, middle] = [left + size, top + size, top + size / 2]
  const ticks = [0, 25, 50, 75, 100]
  const line = (className: string, x1: number, y1: number, x2: number, y2: number) =>
    element('line', { class: className, x1, y1, x2, y2 })
  return [
    line('line', left, bottom, right, bottom),
    line('line', left, top, left, bottom),
    line('faint', x(thresholds.fit), top, x(thresholds.fit), bottom),
    line('faint', left, y(thresholds.dimension_score), right, y(thresholds.dimension_score)),
    ...ticks.map((tick) => label(x(tick), bottom + 18, String(tick), { 'text-anchor': 'middle' })),
    ...ticks.map((tick) => label(left - 8, y(tick) + 4, String(tick), { 'text-anchor': 'end' })),
    label(left + size / 2, bottom + 40, fit, { 'text-anchor': 'middle' }),
    label(24, middle, score, { 'text-anchor': 'middle', transform: `rotate(-90 24 ${middle})` }),
  ]
}

function bubble({ row, fit, score, radius }: Point, number: number): string {
  const shape = row.is_at_risk ? 'hatched' : 'plain'
  const isPaused = row.status === 'paused'
  const at = { cx: x(fit), cy: y(score) }
  return element(
    'g',
    {},
    element('circle', { class: isPaused ? `${shape} dashed` : shape, ...at, r: radius }),
    // The number stands on paper, so that no hatching runs through it.
    element('circle', { class: 'paper', ...at, r: 8 }),
    label(at.cx, at.cy + 4, String(number), { 'text-anchor': 'middle', class: 'small' }),
  )
}

/** Strategic fit against the score of the relationship, as large as what is outstanding; paused and at risk are marked. */
export function portfolioChart(
  rows: readonly PortfolioRow[],
  { as_of, language, thresholds }: { as_of: string; language: ChartLanguage; thresholds: ThresholdValues },
): string {
  const told = words[language]
  const currencies = [...new Set(rows.map((row) => row.outstanding.value.currency))]
  const isOneCurrency = currencies.length <= 1
  const points = pointsOf(rows, isOneCurrency)
  const sentence = ({ row, fit, score }: Point): string =>
    told.one(row.name, String(fit), String(Math.round(score * 10) / 10), marksOf(row, told))
  const named = points.slice(0, namedMax)
  const notes = [
    isOneCurrency ? told.size(currencies[0] ?? 'EUR') : told.sameSize,
    ...(rows.length > points.length ? [told.left(rows.length - points.length)] : []),
    ...(points.length > named.length ? [told.more(points.length - named.length)] : []),
  ]
  const list = plot.left + plot.size + 40
  const key = (at: number, className: string, text: string): string =>
    element('circle', { class: className, cx: list + 8, cy: plot.top + at * 20, r: 7 }) +
    label(list + 24, plot.top + at * 20 + 4, text)
  const from = plot.top + 4 * 20
  const height = Math.max(plot.top + plot.size + 80, from + named.length * 16 + 20) + notes.length * 16
  return picture(
    {
      ...{ width, height, language, title: told.title(as_of) },
      description: [points.length === 0 ? told.none : points.map(sentence).join('. '), ...notes].join('. '),
    },
    label(plot.left, 32, told.title(as_of), { class: 'title' }),
    ...axes(told, thresholds),
    ...points.map((point, at) => bubble(point, at + 1)),
    key(0, 'plain', told.sound),
    key(1, 'hatched', told.risk),
    key(2, 'plain dashed', told.paused),
    ...named.map((point, at) =>
      label(list, from + at * 16, shortened(`${at + 1}  ${sentence(point)}`, 54), { class: 'small' }),
    ),
    ...notes.map((note, at) => label(plot.left, height - 12 - (notes.length - 1 - at) * 16, note, { class: 'small' })),
  )
}
