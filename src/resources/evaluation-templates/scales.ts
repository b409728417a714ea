import type { EvaluationItem, EvaluationTemplate, Scale } from './schemas.ts'

/** A text in both languages of the built-in templates. */
export interface Text extends Record<string, string> {
  nl: string
  en: string
}

/** A built-in template as its author writes it: what follows from a scale is filled in by `complete`. */
export interface TemplateSource
  extends Pick<EvaluationTemplate, 'id' | 'code' | 'version' | 'created_at' | 'subject' | 'licence' | 'dimensions'> {
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

/** The scores that a scale has, lowest first; none of a text. */
export function scoresOf(scale: Scale): number[] {
  const of = points[scale]
  return of ? Array.from({ length: of.count }, (_, at) => of.minimum + at) : []
}

/**
 * What the points of a scale mean where nobody says, lowest first, in these languages: in `nl-BE` as in `nl`. Undefined
 * where the scale has no words of its own; `missing` names the languages that it has none in.
 */
export function wordsOf(
  scale: Scale,
  languages: readonly string[],
): { labels: Record<string, string>[]; missing: string[] } | undefined {
  const labels = points[scale]?.labels
  if (!labels) return undefined
  const known = (language: string) => language.split('-')[0] as 'nl' | 'en'
  const missing = languages.filter((language) => !(known(language) in (labels[0] as Text)))
  const spoken = languages.filter((language) => !missing.includes(language))
  return {
    missing,
    labels: labels.map((label) =>
      Object.fromEntries(spoken.map((language) => [language, label[known(language)] as string])),
    ),
  }
}

/** An item in full, of the parts of it that do not follow from its scale. */
export function completeItem(
  item: Omit<EvaluationItem, 'minimum' | 'maximum' | 'anchors'>,
  labels: readonly Record<string, string>[],
): EvaluationItem {
  const scores = scoresOf(item.scale)
  const anchors = scores.map((score, at) => ({ score, label: labels[at] ?? {} }))
  return { ...item, minimum: scores[0] ?? null, maximum: scores.at(-1) ?? null, anchors }
}

function builtInItem({ code, dimension, statement, scale = 'likert5', ...rest }: ItemSource): EvaluationItem {
  const labels = rest.anchors ?? points[scale]?.labels ?? []
  if (labels.length !== scoresOf(scale).length) throw new Error(`${code} needs ${scoresOf(scale).length} anchors`)
  const { reverse = false, optional = false } = rest
  const item = { code, dimension, statement, scale, reverse, required: !optional }
  return completeItem({ ...item, perspective: 'own', predicts: null }, labels)
}

/** A template in full, as clients read it. @throws Error where an item lacks the meanings of its points */
export const complete = (source: TemplateSource): EvaluationTemplate => ({
  ...source,
  updated_at: source.created_at,
  origin: 'built_in',
  status: 'active',
  items: source.items.map(builtInItem),
  external_refs: [],
  metadata: {},
})
