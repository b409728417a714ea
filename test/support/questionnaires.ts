import fc from 'fast-check'
import type { Json } from './harness.ts'

// Questionnaires and rounds of any shape that the service takes.

/** The points of each scale. */
export const pointsOf: Record<string, readonly number[]> = {
  likert5: [1, 2, 3, 4, 5],
  likert7: [1, 2, 3, 4, 5, 6, 7],
  rag3: [1, 2, 3],
  anchored5: [1, 2, 3, 4, 5],
  yes_no: [0, 1],
  text: [],
}

const everyLanguage = fc
  .tuple(fc.constantFrom('nl', 'en'), fc.subarray(['de', 'fr', 'ar', 'nl-BE'], { maxLength: 2 }))
  .map(([first, others]) => [first, ...others])

const itemShape = fc.record({
  dimension: fc.nat(3),
  scale: fc.constantFrom(...Object.keys(pointsOf), 'likert5', 'likert7'),
  reverse: fc.boolean(),
  required: fc.option(fc.boolean(), { nil: undefined }),
  saysItself: fc.boolean(),
})

const predictionShape = fc.record({ of: fc.nat(20), saysItself: fc.boolean(), required: fc.boolean() })

/** A questionnaire as its author writes it: all scales, reversed and optional items, weights, predictions, languages. */
const questionnaire = fc
  .record({
    languages: everyLanguage,
    weights: fc.array(fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }), { minLength: 1, maxLength: 4 }),
    items: fc.array(itemShape, { minLength: 4, maxLength: 9 }),
    predictions: fc.array(predictionShape, { maxLength: 3 }),
  })
  .map(({ languages, weights, items, predictions }): Json => {
    const say = (words: string) => Object.fromEntries(languages.map((tag) => [tag, `${words} (${tag})`]))
    const anchors = (scale: string) =>
      (pointsOf[scale] ?? []).map((score) => ({ score, label: say(`${scale} ${score}`) }))
    const needsAnchors = (scale: string) => scale === 'anchored5' || languages.some((tag) => !/^(nl|en)/.test(tag))
    const own = items.map(({ dimension, scale, reverse, required, saysItself }, at) => ({
      code: `item_${at}`,
      // The first items see to it that no dimension is empty.
      dimension: `dimension_${at < weights.length ? at : dimension % weights.length}`,
      statement: say(`Statement ${at}`),
      scale,
      ...(scale !== 'text' && reverse ? { reverse } : {}),
      ...(required === undefined ? {} : { required }),
      ...(scale !== 'text' && (saysItself || needsAnchors(scale)) ? { anchors: anchors(scale) } : {}),
    }))
    const scored = own.filter(({ scale }) => scale !== 'text')
    const predicting = predictions.flatMap(({ of, saysItself, required }, at) => {
      const one = scored[of % Math.max(scored.length, 1)]
      if (!one) return []
      const { code, scale, reverse = false } = one
      return {
        code: `prediction_${at}`,
        dimension: one.dimension,
        statement: say(`Prediction ${at}`),
        required,
        perspective: 'predict_other',
        predicts: code,
        ...(saysItself ? { scale, reverse } : {}),
      }
    })
    return {
      title: say('Questions'),
      dimensions: weights.map((weight, at) => ({
        code: `dimension_${at}`,
        label: say(`Dimension ${at}`),
        ...(weight === undefined ? {} : { weight }),
      })),
      items: [...own, ...predicting],
    }
  })

/** How somebody answers an item: `kind` from 0 to 99, the lower the likelier not at all; `pick` chooses the answer. */
interface Choice {
  kind: number
  pick: number
}
const choices = fc.array(fc.record({ kind: fc.nat(99), pick: fc.nat(1000) }), { minLength: 12, maxLength: 12 })

/** How somebody answers: `left` of a hundred items not at all, and not the one that most shun. */
interface Habit {
  choices: readonly Choice[]
  left: number
  shunned: number | null
}

/** Everybody answers everything, or most, or some of it; and now and then there is an item that few answer. */
const respondents = fc
  .record({ left: fc.constantFrom(0, 0, 8, 35), shunned: fc.option(fc.nat(8)) })
  .chain(({ left, shunned }) =>
    fc.array(
      fc.record({
        choices,
        left: fc.constantFrom(left, 0),
        shunned: fc.constantFrom(shunned, shunned, shunned, null),
        byToken: fc.boolean(),
      }),
      { minLength: 24, maxLength: 24 },
    ),
  )

/** A questionnaire, who is asked, and what they answer in one round or two. */
export const scenarios = fc.record({
  questionnaire,
  sides: fc
    .subarray(['company', 'non_profit', 'public', 'other', 'company'], { maxLength: 2 })
    .map((more) => ['company', 'non_profit', ...more]),
  mode: fc.constantFrom('organisation', 'individual'),
  k: fc.constantFrom(3, 3, 4, 5),
  /** How many of each side answer, where persons do; and which parties do, where they do. */
  counts: fc.array(fc.constantFrom(0, 2, 3, 4, 5, 6, 7, 7), { minLength: 5, maxLength: 5 }),
  spare: fc.nat(1),
  rounds: fc.array(respondents, { minLength: 1, maxLength: 2 }),
})

/** What one answers to the items of a template, in the form in which it is sent. */
export function answersBy(template: Json, given: Habit): Json[] {
  return template.items.flatMap((item: Json, at: number): Json[] => {
    const { kind, pick } = given.choices[at] as Choice
    if (kind < given.left || at === given.shunned) {
      // What is optional may be left out altogether.
      return !item.required && pick % 2 === 0 ? [] : [{ item_code: item.code, not_applicable: true }]
    }
    if (item.scale === 'text') return [{ item_code: item.code, text: `Words ${pick}` }]
    const points = pointsOf[item.scale] as readonly number[]
    return [{ item_code: item.code, score: points[pick % points.length] as number }]
  })
}
