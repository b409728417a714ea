import type { FaultCode } from '../../core/fault-codes.ts'
import type { Faults } from '../../core/problem.ts'
import { completeItem, scoresOf, wordsOf } from './scales.ts'
import type { EvaluationItem, EvaluationTemplateWrite, ItemWrite, Scale, TemplateState } from './schemas.ts'

// What makes a questionnaire a good one: pure rules, each fault with its place.

type Text = Readonly<Record<string, string>>
type Questions = Pick<TemplateState, 'dimensions' | 'items'>

/** Of the page on which people answer. */
const spokenByThePage = ['nl', 'en']

/** The languages of a template are those of its title. Faults are gathered: a tag that is none, none that the page speaks. */
export function titleLanguages(title: Text, faults: Faults): string[] {
  const languages = Object.keys(title)
  for (const tag of languages) {
    const canonical = canonicalOf(tag)
    if (canonical === tag && tag.length <= 35) continue
    const detail = canonical === undefined ? `${tag} is no language tag (BCP 47).` : `Write ${canonical}, not ${tag}.`
    faults.add(`/title/${tag}`, 'language', detail)
  }
  if (!languages.some((tag) => spokenByThePage.includes(tag.split('-')[0] ?? ''))) {
    const detail = 'Give it in Dutch (nl) or English (en) at least: the page on which people answer speaks these.'
    faults.add('/title', 'missing_language', detail)
  }
  return languages
}

function canonicalOf(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}

/** Every text is given in the languages of the title and in no other, and says something in each. */
export function checkText(text: Text, pointer: string, languages: readonly string[], faults: Faults): void {
  for (const language of languages) {
    if (!(language in text)) faults.add(pointer, 'missing_language', `Give it in ${language} too, as the title.`)
  }
  for (const [language, words] of Object.entries(text)) {
    const here = `${pointer}/${language}`
    if (!languages.includes(language)) faults.add(here, 'other_language', `The title is not given in ${language}.`)
    if (words.trim() === '') faults.add(here, 'blank', 'It says nothing.')
  }
}

/** The dimensions and items in full. Faults are gathered, every one. */
export function questionsOf(
  write: Pick<EvaluationTemplateWrite, 'dimensions' | 'items' | 'subject'>,
  languages: readonly string[],
  faults: Faults,
): Questions {
  const { dimensions, items, subject } = write
  checkUnique(dimensions, '/dimensions', faults)
  checkUnique(items, '/items', faults)
  const used = new Set(items.map(({ dimension }) => dimension))
  for (const [at, { code, label }] of dimensions.entries()) {
    checkText(label, `/dimensions/${at}/label`, languages, faults)
    if (!used.has(code)) faults.add(`/dimensions/${at}/code`, 'empty_dimension', `No item asks about ${code}.`)
  }
  const known = new Set(dimensions.map(({ code }) => code))
  const byCode = new Map(items.map((item) => [item.code, item]))
  return {
    dimensions: dimensions.map(({ code, label, weight = 1 }) => ({ code, label, weight })),
    items: items.map((item, at) => {
      const here = `/items/${at}`
      if (!known.has(item.dimension)) {
        faults.add(`${here}/dimension`, 'unknown_dimension', `There is no dimension ${item.dimension}.`)
      }
      if (item.perspective === 'predict_other' && subject === 'organisation') {
        const detail = 'Where an organisation judges itself there is no other side to predict.'
        faults.add(`${here}/perspective`, 'no_other_side', detail)
      }
      return itemOf(item, here, byCode, languages, faults)
    }),
  }
}

function checkUnique(coded: readonly { code: string }[], pointer: string, faults: Faults): void {
  const seen = new Set<string>()
  for (const [at, { code }] of coded.entries()) {
    if (seen.has(code)) faults.add(`${pointer}/${at}/code`, 'taken', `${code} stands above already.`)
    seen.add(code)
  }
}

function itemOf(
  write: ItemWrite,
  at: string,
  byCode: ReadonlyMap<string, ItemWrite>,
  languages: readonly string[],
  faults: Faults,
): EvaluationItem {
  const { code, dimension, statement, perspective = 'own', predicts = null } = write
  const predicted = predictedBy(write, at, byCode, faults)
  const scale = write.scale ?? predicted?.scale ?? 'likert5'
  const reverse = write.reverse ?? predicted?.reverse ?? false
  const required = write.required ?? scale !== 'text'
  checkText(statement, `${at}/statement`, languages, faults)
  if (scale === 'text' && reverse) faults.add(`${at}/reverse`, 'not_scored', 'A text has no score to reverse.')
  if (perspective === 'predict_other' && scale === 'text') {
    faults.add(`${at}/scale`, 'not_scored', 'A prediction is compared by its score: a text has none.')
  } else if (predicted) {
    checkAlike(scale, reverse, predicted, at, faults)
  }
  const isAlike = predicted && scale === (predicted.scale ?? 'likert5')
  const anchors = write.anchors ?? (isAlike ? predicted.anchors : undefined) ?? []
  const labels = labelsOf(scale, anchors, at, languages, faults)
  return completeItem({ code, dimension, statement, scale, reverse, required, perspective, predicts }, labels)
}

/** The item that a prediction predicts; undefined of any other, and where it is at fault. */
function predictedBy(
  { perspective = 'own', predicts = null }: ItemWrite,
  at: string,
  byCode: ReadonlyMap<string, ItemWrite>,
  faults: Faults,
): ItemWrite | undefined {
  const refuse = (code: FaultCode, detail: string) => faults.add(`${at}/predicts`, code, detail)
  if (perspective === 'own') {
    if (predicts !== null) refuse('not_a_prediction', 'Only an item of the perspective predict_other predicts another.')
    return undefined
  }
  if (predicts === null) {
    refuse('required', 'Name the item of the other side whose answer is predicted.')
    return undefined
  }
  const predicted = byCode.get(predicts)
  if (predicted && (predicted.perspective ?? 'own') === 'own') return predicted
  refuse('unknown_item', `There is no item ${predicts} of the perspective own.`)
  return undefined
}

/** A prediction is set beside what it predicts: that makes sense in the same points, the same way up. */
function checkAlike(scale: Scale, reverse: boolean, predicted: ItemWrite, at: string, faults: Faults): void {
  const other = predicted.scale ?? 'likert5'
  if (scale !== other) {
    faults.add(`${at}/scale`, 'other_scale', `${predicted.code} has the scale ${other}: a prediction has the same.`)
  }
  if (reverse !== (predicted.reverse ?? false)) {
    faults.add(`${at}/reverse`, 'other_direction', `Give it as ${predicted.code} has it, which it predicts.`)
  }
}

/** What the points mean: as the template says, or in the words that the scale has of its own. */
function labelsOf(
  scale: Scale,
  anchors: NonNullable<ItemWrite['anchors']>,
  at: string,
  languages: readonly string[],
  faults: Faults,
): Text[] {
  const here = `${at}/anchors`
  const scores = scoresOf(scale)
  if (anchors.length > 0 && scores.length === 0) {
    faults.add(here, 'not_scored', 'A text has no points that could mean something.')
  } else if (anchors.length > 0) {
    if (anchors.map(({ score }) => score).join() !== scores.join()) {
      faults.add(here, 'points', `Give the points ${scores.join(', ')}, each once and in this order.`)
    }
    for (const [point, { label }] of anchors.entries()) {
      checkText(label, `${here}/${point}/label`, languages, faults)
    }
    return anchors.map(({ label }) => label)
  } else if (scores.length > 0) {
    const words = wordsOf(scale, languages)
    if (words && words.missing.length === 0) return words.labels
    const detail = words
      ? `${scale} has words of its own in nl and en, not in ${words.missing.join(', ')}: say what its points mean.`
      : `Say what each of the points ${scores.join(', ')} means.`
    faults.add(here, words ? 'missing_language' : 'required', detail)
  }
  return []
}
