import type { EvaluationItem, EvaluationTemplate, Scale } from './schemas.ts'

/** A text in both languages of the built-in templates. */
export interface Text extends Record<string, string> {
  nl: string
  en: string
}

/** A template as its author writes it: what follows from a scale is filled in by `complete`. */
export interface TemplateSource extends Omit<EvaluationTemplate, 'items' | 'title' | 'introduction'> {
  title: Text
  introduction: Text
  items: readonly ItemSource[]
}

export interface ItemSource {
  code: string
  dimension: string
  statement: Text
  /** likert5 where nothing is said. */
  scale?: Scale
  /** What the points mean, lowest first; for scales without meanings of their own. */
  anchors?: readonly Text[]
  reverse?: true
  optional?: true
}

interface Points {
  minimum: number
  labels: readonly Text[] | undefined
  count: number
}

const agreement: readonly Text[] = [
  { nl: 'helemaal oneens', en: 'strongly disagree' },
  { nl: 'oneens', en: 'disagree' },
  { nl: 'niet eens, niet oneens', en: 'neither agree nor disagree' },
  { nl: 'eens', en: 'agree' },
  { nl: 'helemaal eens', en: 'strongly agree' },
]

const finerAgreement: readonly Text[] = [
  ...agreement.slice(0, 2),
  { nl: 'een beetje oneens', en: 'slightly disagree' },
  ...agreement.slice(2, 3),
  { nl: 'een beetje eens', en: 'slightly agree' },
  ...agreement.slice(3),
]

/** The points of each scale; null for a text, which is never scored. */
const points: Record<Scale, Points | null> = {
  likert5: { minimum: 1, count: 5, labels: agreement },
  likert7: { minimum: 1, count: 7, labels: finerAgreement },
  rag3: {
    minimum: 1,
    count: 3,
    labels: [
      { nl: 'rood', en: 'red' },
      { nl: 'oranje', en: 'amber' },
      { nl: 'groen', en: 'green' },
    ],
  },
  anchored5: { minimum: 1, count: 5, labels: undefined },
  yes_no: {
    minimum: 0,
    count: 2,
    labels: [
      { nl: 'nee', en: 'no' },
      { nl: 'ja', en: 'yes' },
    ],
  },
  text: null,
}

function completeItem({ code, dimension, statement, scale = 'likert5', ...rest }: ItemSource): EvaluationItem {
  const of = points[scale]
  const labels = rest.anchors ?? of?.labels ?? []
  if (labels.length !== (of?.count ?? 0)) throw new Error(`${code} needs ${of?.count ?? 0} anchors`)
  return {
    code,
    dimension,
    statement,
    scale,
    minimum: of?.minimum ?? null,
    maximum: of ? of.minimum + of.count - 1 : null,
    anchors: of ? labels.map((label, at) => ({ score: of.minimum + at, label })) : [],
    reverse: rest.reverse ?? false,
    required: !rest.optional,
    perspective: 'own',
    predicts: null,
  }
}

/** A template in full, as clients read it. @throws Error where an item lacks the meanings of its points */
export const complete = (source: TemplateSource): EvaluationTemplate => ({
  ...source,
  items: source.items.map(completeItem),
})
