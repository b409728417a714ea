import type { AnswerForm } from '../respondent-schemas.ts'
import type { Answer } from '../response-schemas.ts'

/** What a form that was sent in answers. */
export interface Given {
  answers: Answer[]
  /** Items that must be answered and were not. */
  missing: string[]
  faults: Map<string, 'mustAnswer' | 'tooLong'>
}

const textMax = 10_000

/** Reads the fields of the form by its questions; what is none of theirs is left aside. */
export function givenIn({ questions }: NonNullable<AnswerForm['questionnaire']>, sent: URLSearchParams): Given {
  const given: Given = { answers: [], missing: [], faults: new Map() }
  for (const { code, scale, options, required } of questions) {
    const value = sent.get(`q.${code}`) ?? ''
    if (scale === 'text') {
      // Browsers send lines that end in CR LF; Postgres keeps no NUL.
      const text = value.replaceAll('\r\n', '\n').replaceAll('\0', '').trim()
      if (text.length > textMax) given.faults.set(code, 'tooLong')
      if (text !== '') given.answers.push({ item_code: code, text })
      else if (required) given.missing.push(code)
    } else if (value === 'na') {
      given.answers.push({ item_code: code, not_applicable: true })
    } else {
      const chosen = options.find(({ score }) => String(score) === value)
      if (chosen) given.answers.push({ item_code: code, score: chosen.score })
      else if (required) given.missing.push(code)
    }
  }
  return given
}
