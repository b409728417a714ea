import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { insertExternalRefs, removeExternalRefs, writeExternalRefs } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import {
  changedMembers,
  completeRefs,
  loadForUpdate,
  type Revision,
  refsWith,
  type Upsert,
  upsertByRef,
} from '../../platform/writes.ts'
import { findTemplate } from './built-in.ts'
import { looksLikeId } from './read.ts'
import { checkText, questionsOf, titleLanguages } from './rules.ts'
import type { EvaluationTemplate, EvaluationTemplateWrite, TemplateState } from './schemas.ts'
import { templateDelete, templateInsert, templateIsUsed, templateUpdate } from './store.ts'
import { templateResource } from './view.ts'

export async function createTemplate(tx: Tx, write: EvaluationTemplateWrite): Promise<Outcome> {
  const state = checked(write)
  const id = newId()
  if (findTemplate(state.code) || !(await templateInsert(tx, id, state))) throw taken(state.code)
  await insertExternalRefs(tx, 'evaluation_template', id, state.external_refs)
  return record(tx, { resource: templateResource, id, verb: 'created', changed: Object.keys(state) })
}

/** Makes the next version of a template. Rounds that are open or closed keep the one that they were opened with. */
export async function reviseTemplate(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<EvaluationTemplateWrite>,
): Promise<Outcome> {
  const template = await loadForUpdate(tx, templateResource, id, ifMatch)
  requireOwn(template)
  const current = stateOf(template)
  const next = checked(revise(writeOf(current)), current)
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, templateResource, id)
  await templateUpdate(tx, id, template.version + 1, next)
  if (changed.includes('external_refs')) {
    await writeExternalRefs(tx, 'evaluation_template', id, next.external_refs)
  }
  return record(tx, { resource: templateResource, id, verb: 'updated', changed })
}

export async function upsertTemplate(
  tx: Tx,
  ref: { system: string; id: string },
  write: EvaluationTemplateWrite,
  ifMatch: IfMatch,
): Promise<Upsert> {
  return upsertByRef(tx, 'evaluation_template', ref, {
    ifMatch,
    create: () => createTemplate(tx, { ...write, external_refs: refsWith(ref, write.external_refs ?? []) }),
    replace: (id) =>
      reviseTemplate(tx, id, ifMatch, (current) => ({
        ...write,
        external_refs: refsWith(ref, write.external_refs ?? current.external_refs ?? []),
      })),
  })
}

/** Deletes a template that no round was ever planned on, with all its versions. */
export async function deleteTemplate(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const template = await loadForUpdate(tx, templateResource, id, ifMatch)
  requireOwn(template)
  // No round comes between: whoever plans one waits for the row that we delete.
  await removeExternalRefs(tx, 'evaluation_template', id)
  await templateDelete(tx, id)
  if (await templateIsUsed(tx, template.code)) {
    const detail = `Rounds were planned on ${template.code}. Retire it instead: set status to retired.`
    throw new Problem('in_use', detail, { members: { dependants: ['evaluations'] } })
  }
  recordRemoval(tx, templateResource, id, template.version)
}

function taken(code: string): Problem {
  const detail = `${code} is the code of another template.`
  return new Problem('duplicate', detail, { errors: [{ pointer: '/code', code: 'taken', detail }] })
}

/** @throws Problem `state_forbids` for a template that is part of the service */
function requireOwn({ origin, code }: EvaluationTemplate): void {
  if (origin === 'own') return
  throw new Problem('state_forbids', `${code} is part of the service: make a template of your own under another code.`)
}

function stateOf(template: EvaluationTemplate): TemplateState {
  const { id: _id, version: _v, created_at: _c, updated_at: _u, origin: _o, ...state } = template
  return state
}

/** What a client would write to get this state. */
const writeOf = ({ items, ...state }: TemplateState): EvaluationTemplateWrite => ({
  ...state,
  items: items.map(({ minimum: _from, maximum: _to, ...item }) => item),
})

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
function checked(write: EvaluationTemplateWrite, current?: TemplateState): TemplateState {
  const faults = new Faults()
  const { code, title, introduction = null, subject = 'partnership', status = 'active', licence = null } = write
  if (looksLikeId(code)) faults.add('/code', 'looks_like_id', 'A code must not look like an id.')
  if (current && code !== current.code) {
    faults.add('/code', 'fixed', `The code stays ${current.code}: rounds name the template by it.`)
  }
  if (current && subject !== current.subject) {
    faults.add('/subject', 'fixed', `The subject stays ${current.subject}: make a template of its own for another.`)
  }
  const languages = titleLanguages(title, faults)
  checkText(title, '/title', languages, faults)
  if (introduction) checkText(introduction, '/introduction', languages, faults)
  const questions = questionsOf({ ...write, subject }, languages, faults)
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    code,
    status,
    title,
    introduction,
    subject,
    licence,
    ...questions,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}
