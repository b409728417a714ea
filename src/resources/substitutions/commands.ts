import { newId } from '../../core/ids.ts'
import { checkMeasure, normaliseMeasure } from '../../core/measure.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { record } from '../../platform/events.ts'
import { recordStatusChange } from '../../platform/history.ts'
import { holdName, insertExternalRefs, resolveNaming } from '../../platform/references.ts'
import type { Outcome } from '../../platform/resource.ts'
import { completeRefs } from '../../platform/writes.ts'
import { type Held, loadCommitment, renewNaming } from '../commitments/commands.ts'
import { termsAgreed } from '../commitments/schemas.ts'
import { disruptionNamed } from '../disruptions/read.ts'
import { instalmentNamed } from '../instalments/read.ts'
import { checkDifference, checkPart, checkPromiser, requireReplaceable, requireReplacement } from './checks.ts'
import { inOrder, type Pair, whoMay } from './pair.ts'
import type { SubstitutionCreate } from './schemas.ts'
import { substitutionInsert, substitutionLeadsBack } from './store.ts'
import { substitutionResource } from './view.ts'

/** Proposes that one promise takes the place of another, or of a part of it. Nothing changes until it is accepted. */
export async function createSubstitution(tx: Tx, write: SubstitutionCreate): Promise<Outcome> {
  const { replaced, by } = await named(tx, write)
  requireReplaceable(replaced)
  requireReplacement(by)
  const proposer = write.proposed_by_party_id.toLowerCase()
  requireDecider('proposed_by_party_id', proposer, whoMay('either_side', replaced))
  const state = await checked(tx, write, { replaced, by }, proposer)
  const id = newId()
  await Promise.all([
    substitutionInsert(tx, id, state, termsAgreed(by.commitment)),
    insertExternalRefs(tx, 'substitution', id, completeRefs(write.external_refs)),
  ])
  if (by.commitment.status === 'draft') await renewNaming(tx, by.commitment.id)
  const told = { type: 'substitution', id, version: 1, from: null, to: 'proposed', on: replaced.today }
  await recordStatusChange(tx, { ...told, decidedByPartyId: proposer, reason: write.reason })
  const changed = [...Object.keys(state), 'external_refs', 'status', 'assents']
  return record(tx, { resource: substitutionResource, id, verb: 'proposed', changed })
}

/** Both commitments of a write, held. @throws Problem that names what is not there */
async function named(tx: Tx, write: SubstitutionCreate): Promise<Pair> {
  const faults = new Faults()
  const naming = (member: 'replaces_commitment' | 'by_commitment') =>
    resolveNaming(
      tx,
      'commitment',
      { id: write[`${member}_id`], ref: write[`${member}_ref`] },
      { pointer: '', member, required: true },
      faults,
    )
  const [oldId, newId] = await Promise.all([naming('replaces_commitment'), naming('by_commitment')])
  faults.refuse()
  if (oldId?.toLowerCase() === newId?.toLowerCase()) {
    faults.add('/by_commitment_id', 'itself', 'A commitment does not take its own place.')
    faults.refuse()
  }
  const find = async (id: string, member: string): Promise<Held | undefined> => {
    try {
      return await loadCommitment(tx, id)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error
      faults.add(`/${member}_id`, 'unknown_reference', `There is no commitment ${id}.`)
      return undefined
    }
  }
  const [replaced, by] = await inOrder(
    { id: oldId as string, load: (id) => find(id, 'replaces_commitment') },
    { id: newId as string, load: (id) => find(id, 'by_commitment') },
  )
  faults.refuse()
  return { replaced: replaced as Held, by: by as Held }
}

/** The complete state of a proposal. @throws Problem that names every rule it breaks */
async function checked(tx: Tx, write: SubstitutionCreate, { replaced, by }: Pair, proposer: string) {
  const faults = new Faults()
  const { outstanding } = replaced.commitment
  const part = write.replaced_measure ?? outstanding
  checkPart(part, outstanding, faults)
  checkMeasure(part, '/replaced_measure', faults)
  checkPromiser({ replaced, by }, faults)
  // One at a time in a partnership: a circle of four could else be closed by two who see half of it each.
  await holdName(tx, 'substitution', 'partnership', replaced.commitment.partnership_id)
  if (await substitutionLeadsBack(tx, replaced.commitment.id, by.commitment.id)) {
    faults.add('/by_commitment_id', 'circle', 'What would take its place is itself replaced by this commitment.')
  }
  const disruptionId = await disruptionNamed(tx, write, faults)
  if (write.instalment_seq != null && !(await instalmentNamed(tx, replaced.commitment.id, write.instalment_seq))) {
    const detail = `The commitment has no instalment ${write.instalment_seq}.`
    faults.add('/instalment_seq', 'unknown_reference', detail)
  }
  checkDifference(write.value_difference, faults)
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    partnership_id: replaced.commitment.partnership_id,
    replaces_commitment_id: replaced.commitment.id,
    by_commitment_id: by.commitment.id,
    replaced_measure: normaliseMeasure(part),
    instalment_seq: write.instalment_seq ?? null,
    reason: write.reason,
    disruption_id: disruptionId,
    value_difference: write.value_difference ?? null,
    proposed_by_party_id: proposer,
    proposed_on: replaced.today,
    metadata: write.metadata ?? {},
  }
}
