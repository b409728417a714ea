import type { AnswerForm } from '../respondent-schemas.ts'
import type { Answer } from '../response-schemas.ts'
import type { Fault } from './words.ts'

/** What a form that was sent in answers. */
export interface Given {
  answers: Answer[]
  /** Items that must be answered and were not, and what is said of them. */
  missing: Map<string, Fault>
  faults: Map<string, Fault>
}

const textMax = 10_000

/** Reads the fields of the form by its questions; what is none of theirs is left aside. */
export function givenIn({ questions }: NonNullable<AnswerForm['questionnaire']>, sent: URLSearchParams): Given {
  const given: Given = { answers: [], missing: new Map(), faults: new Map() }
  for (const { code, scale, options, required } of questions) {
    const value = sent.get(`q.${code}`) ?? ''
    if (scale === 'text') {
      // Browsers send lines that end in CR LF; Postgres keeps no NUL.
      const text = value.replaceAll('\r\n', '\n').replaceAll('\0', '').trim()
      if (text.length > textMax) given.faults.set(code, 'tooLong')
      const isNone = required && sent.has(`na.${code}`)
      if (text !== '' && isNone) given.faults.set(code, 'both')
      if (text !== '') given.answers.push({ item_code: code, text })
      else if (isNone) given.answers.push({ item_code: code, not_applicable: true })
      else if (required) given.missing.set(code, 'mustWrite')
    } else if (value === 'na') {
      given.answers.push({ item_code: code, not_applicable: true })
    } else {
      const chosen = options.find(({ score }) => String(score) === value)
      if (chosen) given.answers.push({ item_code: code, score: chosen.score })
      else if (required) given.missing.set(code, 'mustAnswer')
    }
  }
  return given
}
