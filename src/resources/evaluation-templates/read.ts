import { sql } from 'kysely'
import { notFound } from '../../core/problem.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { Represented } from '../../platform/resource.ts'
import type { EvaluationTemplate } from './schemas.ts'
import { templateReads } from './view.ts'

export { findTemplate, latestTemplates } from './built-in.ts'

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** True of what would be taken for an id. */
export const looksLikeId = (name: string): boolean => uuidForm.test(name)

/** A template by its id or code, in this version or the latest. @throws Problem `not_found` */
export async function readTemplate(tx: ReadTx, name: string, version?: number): Promise<Represented> {
  const reads = templateReads[looksLikeId(name) ? 'id' : 'code']
  const read = version === undefined ? reads.latest : reads.version
  const [row] = await read.run(tx, { name, template_version: version })
  if (!row) throw notFound()
  return row
}

/**
 * A template by its code, in this version or the latest, be it built in or one of the tenant's own. Undefined where there
 * is none.
 */
export async function templateOf(tx: ReadTx, code: string, version?: number): Promise<EvaluationTemplate | undefined> {
  const { latest, version: exact } = templateReads.code
  const [row] = await (version === undefined ? latest : exact).run(tx, { name: code, template_version: version })
  return row && (JSON.parse(row.body) as EvaluationTemplate)
}

const hold = prepare<object>(sql`
  select from evaluation_templates where tenant_id = ${tenantParam} and code = ${param('code')} for key share`)

/** The latest version of a template that is to be chosen: until the transaction ends it is not deleted. */
export async function holdTemplate(tx: Tx, code: string): Promise<EvaluationTemplate | undefined> {
  const [, template] = await Promise.all([hold.run(tx, { code }), templateOf(tx, code)])
  return template
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
