import type { Faults } from '../../core/problem.ts'
import type { EvaluationItem, EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import type { Answer, AnswerGiven } from './response-schemas.ts'

/**
 * The answers of a response in their full form and in the order of the template; every fault is gathered.
 * A required item must be spoken of, be it as not applicable; in a draft it may come later.
 */
export function checkedAnswers(
  template: Pick<EvaluationTemplate, 'items'>,
  answers: readonly Answer[],
  faults: Faults,
  { isDraft = false }: { isDraft?: boolean } = {},
): AnswerGiven[] {
  const given = new Map<string, AnswerGiven>()
  const items = new Map(template.items.map((item) => [item.code, item]))
  answers.forEach((answer, at) => {
    const code = answer.item_code
    const item = items.get(code)
    if (!item) {
      faults.add(`/answers/${at}/item_code`, 'unknown_item', `The template has no item ${code}.`)
    } else if (given.has(code)) {
      faults.add(`/answers/${at}/item_code`, 'answered_twice', `${code} was answered before: answer each item once.`)
    } else {
      checkAnswer(item, answer, `/answers/${at}`, faults)
      const { score = null, text = null, not_applicable = false } = answer
      given.set(code, { item_code: code, score, text, not_applicable })
    }
  })
  for (const { code, required } of template.items) {
    if (isDraft || !required || given.has(code)) continue
    faults.add('/answers', 'missing_item', `${code} must be answered, or marked as not applicable.`)
  }
  return template.items.flatMap(({ code }) => given.get(code) ?? [])
}

function checkAnswer(item: EvaluationItem, answer: Answer, at: string, faults: Faults): void {
  const { score = null, text = null, not_applicable = false } = answer
  if (not_applicable) {
    const beside = [score === null ? [] : 'score', text === null ? [] : 'text'].flat()
    for (const member of beside) {
      faults.add(`${at}/${member}`, 'exclusive', `Leave ${member} out of what is not applicable.`)
    }
    return
  }
  if (item.minimum === null || item.maximum === null) {
    if (score !== null) faults.add(`${at}/score`, 'not_scored', `${item.code} is answered with a text.`)
    else if (text === null) faults.add(`${at}/text`, 'required', `${item.code} is answered with a text.`)
    return
  }
  if (text !== null) faults.add(`${at}/text`, 'not_a_text', `${item.code} is answered with a score.`)
  const range = `${item.minimum} to ${item.maximum}`
  if (score === null) {
    if (text === null) faults.add(`${at}/score`, 'required', `${item.code} is answered with a score from ${range}.`)
  } else if (score < item.minimum || score > item.maximum) {
    faults.add(`${at}/score`, 'out_of_range', `${item.code} is answered with a score from ${range}, not ${score}.`)
  }
}
