import type { EvaluationTemplate } from '../evaluation-templates/schemas.ts'
import type { AnswerForm } from './respondent-schemas.ts'

type Texts = Readonly<Record<string, string>>

/** The languages that a whole template can be had in, in alphabetical order. */
export function languagesOf({ title, introduction, dimensions, items }: EvaluationTemplate): string[] {
  const texts: Texts[] = [
    title,
    ...(introduction ? [introduction] : []),
    ...dimensions.map(({ label }) => label),
    ...items.flatMap(({ statement, anchors }) => [statement, ...anchors.map(({ label }) => label)]),
  ]
  const complete = Object.keys(title).filter((language) => texts.every((text) => text[language] !== undefined))
  return complete.sort()
}

/** The language in which a respondent is asked: of those wished for the first there is, be it in another country's form. */
export function languageFor(languages: readonly string[], wishes: readonly (string | null | undefined)[]): string {
  const plain = (tag: string) => tag.toLowerCase().split('-')[0]
  for (const wish of wishes) {
    if (wish == null) continue
    const exact = languages.find((language) => language.toLowerCase() === wish.toLowerCase())
    const found = exact ?? languages.find((language) => plain(language) === plain(wish))
    if (found !== undefined) return found
  }
  return languages.includes('en') ? 'en' : (languages[0] ?? 'en')
}

/** A template as one respondent reads it. */
export function questionnaireIn(template: EvaluationTemplate, language: string): AnswerForm['questionnaire'] {
  const say = (text: Texts): string => text[language] ?? Object.values(text)[0] ?? ''
  return {
    title: say(template.title),
    introduction: template.introduction && say(template.introduction),
    dimensions: template.dimensions.map(({ code, label }) => ({ code, label: say(label) })),
    questions: template.items.map(({ code, dimension, statement, scale, anchors, required, perspective }) => ({
      code,
      dimension,
      statement: say(statement),
      scale,
      options: anchors.map(({ score, label }) => ({ score, label: say(label) })),
      required,
      perspective,
    })),
  }
}
