import { randomInt } from 'node:crypto'
import type { EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import type { AnswerGiven } from './response-schemas.ts'
import type { EvaluationTexts } from './score-schemas.ts'
import type { Side } from './scoring.ts'

interface Written {
  side: Side
  answers: readonly AnswerGiven[]
}

const textItems = ({ items }: Pick<EvaluationTemplate, 'items'>) => items.filter(({ scale }) => scale === 'text')

/**
 * What each side answered to each item in words, as it is shown: of fewer than `k` texts none, and the others in an order
 * that is drawn for each item and side, so that no two texts are known to be of one hand.
 */
export function textsOf(template: Pick<EvaluationTemplate, 'items'>, responses: readonly Written[], k: number | null) {
  const sides = [...new Set(responses.map(({ side }) => side))]
  return textItems(template).flatMap(({ code }) =>
    sides.flatMap((side) => {
      const texts = responses
        .filter((response) => response.side === side)
        .flatMap(({ answers }) => answers.filter((answer) => answer.item_code === code))
        .flatMap(({ text }) => (text === null ? [] : [text]))
      if (texts.length < (k ?? 0)) return []
      return shuffled(texts).map((text, position) => ({ side, code, position, text }))
    }),
  )
}

function shuffled<T>(values: readonly T[]): T[] {
  const mixed = [...values]
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1)
    ;[mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T]
  }
  return mixed
}

/** The texts of a round by item and side, those that are withheld in their places. */
export function shownTexts(
  template: Pick<EvaluationTemplate, 'items'>,
  rows: readonly { side: Side; code: string; text: string }[],
  sides: readonly Side[],
  isIndividual: boolean,
): EvaluationTexts['texts'] {
  return textItems(template).flatMap(({ code }) =>
    sides.map((side) => {
      const texts = rows.filter((row) => row.code === code && row.side === side).map(({ text }) => text)
      const isWithheld = isIndividual && texts.length === 0
      return { code, side, texts: isWithheld ? null : texts, suppression_reason: isWithheld ? 'too_few' : null }
    }),
  )
}
