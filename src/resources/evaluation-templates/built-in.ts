import { allianceReadiness } from './alliance-readiness.ts'
import { partnershipReview } from './partnership-review.ts'
import type { EvaluationTemplate } from './schemas.ts'

/** Every version of every built-in template. What a round was held on stays here for ever: new wording is a new version. */
export const templates: readonly EvaluationTemplate[] = [partnershipReview, allianceReadiness]

/** A built-in template by its code: this version of it, or the latest. Undefined where there is none. */
export function findTemplate(code: string, version?: number): EvaluationTemplate | undefined {
  return templates
    .filter((template) => template.code === code && (version === undefined || template.version === version))
    .reduce<EvaluationTemplate | undefined>(
      (best, next) => (best && best.version > next.version ? best : next),
      undefined,
    )
}

/** The latest version of each built-in template, in alphabetical order of their codes. */
export function latestTemplates(): EvaluationTemplate[] {
  const names = [...new Set(templates.map(({ code }) => code))].sort()
  return names.flatMap((code) => findTemplate(code) ?? [])
}
