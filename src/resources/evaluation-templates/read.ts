import type { ReadTx } from '../../db/database.ts'
import { allianceReadiness } from './alliance-readiness.ts'
import { partnershipReview } from './partnership-review.ts'
import type { EvaluationTemplate } from './schemas.ts'

/** Every version of every built-in template. What a round was held on stays here for ever: new wording is a new version. */
export const templates: readonly EvaluationTemplate[] = [partnershipReview, allianceReadiness]

/** A template by its code: this version of it, or the latest. Undefined where there is none. */
export function findTemplate(code: string, version?: number): EvaluationTemplate | undefined {
  return templates
    .filter((template) => template.code === code && (version === undefined || template.version === version))
    .reduce<EvaluationTemplate | undefined>(
      (best, next) => (best && best.version > next.version ? best : next),
      undefined,
    )
}

/** The same where the template may be one of the tenant's own. */
export async function templateOf(_tx: ReadTx, code: string, version?: number): Promise<EvaluationTemplate | undefined> {
  return findTemplate(code, version)
}

/** The template that a round is held on. @throws Error where it is not there, which cannot be */
export async function templateOfRound(
  tx: ReadTx,
  round: { template_code: string; template_version: number },
): Promise<EvaluationTemplate> {
  const template = await templateOf(tx, round.template_code, round.template_version)
  if (!template) throw new Error(`The template ${round.template_code} ${round.template_version} is not there`)
  return template
}

/** The latest version of each template, in alphabetical order of their codes. */
export function latestTemplates(): EvaluationTemplate[] {
  const names = [...new Set(templates.map(({ code }) => code))].sort()
  return names.flatMap((code) => findTemplate(code) ?? [])
}
