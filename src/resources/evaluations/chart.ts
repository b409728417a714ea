import { element, label, picture, shortened } from '../../core/svg.ts'
import type { EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import { type ChartLanguage, type ChartWords, chartWords } from './chart-words.ts'
import { languageFor } from './questionnaire.ts'
import type { Evaluation } from './schemas.ts'
import { type GapRow, gapsOf, gapThreshold, orderedSides, type ScoreRow, type Side } from './scoring.ts'

/** What a picture of a round is drawn from: nothing that its scores do not show. */
export interface Charted {
  evaluation: Pick<Evaluation, 'kind' | 'period_from' | 'period_to' | 'minimum_per_side'>
  template: Pick<EvaluationTemplate, 'dimensions'>
  scores: readonly ScoreRow[]
}

interface Row {
  name: string
  isWhole: boolean
  cells: { side: Side; row: ScoreRow | undefined }[]
  /** Of the two sides that are furthest apart. */
  gap: GapRow | undefined
}

const margin = 28
const column = 92
const rowHeight = 64
const ticks = [0, 25, 50, 75, 100]
const lineHeight = 18

/** The dimensions, each with what every side finds of it, and the whole before them. */
function rowsOf({ template, scores }: Charted, sides: readonly Side[], language: ChartLanguage): Row[] {
  const gaps = gapsOf(scores, sides)
  const row = (level: 'overall' | 'dimension', code: string, name: string): Row => ({
    name,
    isWhole: level === 'overall',
    cells: sides.map((side) => ({
      side,
      row: scores.find((one) => one.level === level && one.code === code && one.side === side),
    })),
    gap: gaps
      .filter((one) => one.level === level && one.code === code && one.gap !== null)
      .toSorted((a, b) => Math.abs(Number(b.gap)) - Math.abs(Number(a.gap)))[0],
  })
  const asked = template.dimensions.filter(({ code }) => scores.some((one) => one.dimension === code))
  return [
    row('overall', 'overall', chartWords[language].overall),
    ...asked.map(({ code, label: labels }) =>
      row('dimension', code, labels[languageFor(Object.keys(labels), [language])] ?? code),
    ),
  ]
}

/** A mark of its own for each side, told apart by shape alone; two on one spot are both seen. */
function mark(at: number, x: number, y: number): string {
  const points = (list: [number, number][]) => list.map(([dx, dy]) => `${x + dx},${y + dy}`).join(' ')
  const outline = { class: 'line', 'stroke-width': 2 }
  if (at === 0) return element('circle', { class: 'dark', cx: x, cy: y, r: 5 })
  if (at === 1) {
    const corners: [number, number][] = [
      [0, -9],
      [9, 0],
      [0, 9],
      [-9, 0],
    ]
    return element('polygon', { class: 'plain', 'stroke-width': 2, points: points(corners) })
  }
  if (at === 2) return element('rect', { ...outline, x: x - 6, y: y - 6, width: 12, height: 12 })
  const corners: [number, number][] = [
    [0, -10],
    [9, 7],
    [-9, 7],
  ]
  return element('polygon', { ...outline, 'stroke-dasharray': '3 2', points: points(corners) })
}

const numbersIn = (language: ChartLanguage) => {
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 })
  return (score: string): string => format.format(Number(score))
}

const daysIn = (language: ChartLanguage) => {
  const format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { dateStyle: 'long', timeZone: 'UTC' })
  return (day: string): string => format.format(new Date(`${day}T00:00:00Z`))
}

function told(row: ScoreRow | undefined, words: ChartWords, number: (score: string) => string): string {
  if (row?.suppression_reason) return words.withheld
  return row?.score == null ? words.noAnswer : number(row.score)
}

/** The scores of a round: for each dimension what each side finds, on one line from 0 to 100. */
export function roundChart(charted: Charted, language: ChartLanguage): string {
  const words = chartWords[language]
  const [number, day] = [numbersIn(language), daysIn(language)]
  const { kind, period_from, period_to, minimum_per_side: k } = charted.evaluation
  const sides = orderedSides(charted.scores.map(({ side }) => side))
  const rows = sides.length === 0 ? [] : rowsOf(charted, sides, language)
  const nameOf = (side: Side): string => words.sides[side] ?? side
  const width = Math.max(420, 236 + sides.length * column)
  const notes = [
    words.scale,
    ...(rows.some(({ gap }) => gap?.is_flagged) ? [words.wide(gapThreshold)] : []),
    ...(k !== null && charted.scores.some((one) => one.suppression_reason) ? [words.isWithheld(k)] : []),
    ...(rows.length === 0 ? [words.none] : []),
  ]
  const heading = words.kinds[kind] ?? words.evaluation
  const period = words.period(day(period_from), day(period_to))
  const legend = 78
  const top = legend + sides.length * 22 + 16
  const bottom = top + rows.length * rowHeight
  const sentence = ({ name, cells, gap }: Row): string =>
    [
      ...cells.map(({ side, row }) => `${nameOf(side)} ${told(row, words, number)}`),
      ...(gap?.is_flagged ? [words.apart(number(sizeOf(gap)))] : []),
    ].reduce((text, part, at) => text + (at === 0 ? part : `, ${part}`), `${name}: `)
  return picture(
    {
      ...{ width, height: bottom + 26 + notes.length * lineHeight, language, title: `${heading}, ${period}` },
      description: `${[...rows.map(sentence), ...notes].join('. ').replace(/[.]$/, '')}.`,
    },
    label(margin - 8, 30, heading, { class: 'title' }),
    label(margin - 8, 52, period),
    ...sides.flatMap((side, at) => {
      const n = rows[0]?.cells[at]?.row?.n
      const y = legend + at * 22
      return [
        mark(at, margin, y),
        label(margin + 20, y + 4, n == null ? nameOf(side) : `${nameOf(side)}, ${words.answered(n)}`),
      ]
    }),
    ...(rows.length === 0 ? [] : axis(width, bottom + 8)),
    ...rows.map((row, at) => drawn(row, { y: top + at * rowHeight, width }, words, number)),
    ...notes.map((note, at) => label(margin - 8, bottom + 30 + at * lineHeight, note, { class: 'small' })),
  )
}

const sizeOf = ({ gap }: GapRow): string => (gap ?? '0').replace(/^-/, '')

const along = (score: string | number, width: number): number => margin + (Number(score) / 100) * (width - 2 * margin)

/** The figures below the last line. */
const axis = (width: number, y: number): string[] =>
  ticks.map((tick) => label(along(tick, width), y, String(tick), { class: 'small', 'text-anchor': 'middle' }))

/** One line of the picture: what each side finds in figures above, and where that lies below. */
function drawn(
  { name, isWhole, cells, gap }: Row,
  { y, width }: { y: number; width: number },
  words: ChartWords,
  number: (score: string) => string,
): string {
  const line = y + 32
  const first = width - margin + 8 - cells.length * column
  const shown = cells.flatMap(({ row }, at) => (row?.score == null ? [] : [{ at, x: along(row.score, width) }]))
  const ends = shown.map(({ x }) => x)
  const [from, to] = [Math.min(...ends), Math.max(...ends)]
  return element(
    'g',
    {},
    label(margin - 8, y + 10, shortened(name, Math.floor((first - margin) / 6.4)), isWhole ? { class: 'strong' } : {}),
    ...cells.flatMap(({ row }, at) => {
      const x = first + at * column
      return [mark(at, x + 8, y + 6), label(x + 22, y + 10, told(row, words, number), { class: 'small' })]
    }),
    element('line', { class: 'line', x1: margin, y1: line, x2: width - margin, y2: line, 'stroke-width': 0.75 }),
    ...(shown.length > 1
      ? [
          element('line', {
            class: 'line',
            x1: from,
            y1: line,
            x2: to,
            y2: line,
            'stroke-width': gap?.is_flagged ? 6 : 2,
          }),
        ]
      : []),
    ...ticks.map((tick) => {
      const x = along(tick, width)
      return element('line', { class: 'line', x1: x, y1: line - 4, x2: x, y2: line + 4, 'stroke-width': 0.75 })
    }),
    // The fullest mark last, so that the others show around it where they lie on one spot.
    ...shown.toReversed().map(({ at, x }) => mark(at, x, line)),
    ...(gap?.is_flagged
      ? [
          label((from + to) / 2, line + 20, words.apart(number(sizeOf(gap))), {
            class: 'small',
            'text-anchor': 'middle',
          }),
        ]
      : []),
  )
}
