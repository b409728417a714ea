import type { DemoCommitment } from './demo-portfolio.ts'
import type { Demo } from './demo-run.ts'

// How what was agreed in the demo becomes something else: new terms, and one promise in the place of another.

type Party = (name: string) => string

/** The record of a collection that goes by this id in the system `demo`. */
async function found(demo: Demo, collection: string, id: string): Promise<boolean> {
  const { body } = await demo.client.must('GET', `/v1/${collection}?external_ref=demo:${id}`)
  return body.data.length > 0
}

/** What a commitment is written with: its first terms, or those to which it was amended in an earlier run. */
export async function termsOf(demo: Demo, { body, amended }: DemoCommitment): Promise<object> {
  if (amended === undefined || !(await found(demo, 'amendments', amended.id))) return body
  return { ...body, ...amended.terms }
}

/** Amends a commitment, and puts another in its place, where its plan says so and no earlier run did. */
export async function change(
  demo: Demo,
  { amended, replaced }: DemoCommitment,
  { partnershipId, commitmentId }: { partnershipId: string; commitmentId: string },
  party: Party,
): Promise<void> {
  if (amended) {
    const { id, by, accepted, terms, ...told } = amended
    await propose(demo, 'amendments', { id, accepted: party(accepted) }, `partnerships/${partnershipId}/amendments`, {
      ...told,
      proposed_by_party_id: party(by),
      changes: { commitments: [{ commitment_id: commitmentId, terms }] },
    })
  }
  if (replaced) {
    const { id, by, accepted, with: other, reason } = replaced
    await propose(demo, 'substitutions', { id, accepted: party(accepted) }, 'substitutions', {
      replaces_commitment_id: commitmentId,
      by_commitment_ref: { system: 'demo', id: other },
      reason,
      proposed_by_party_id: party(by),
    })
  }
}

async function propose(
  demo: Demo,
  collection: string,
  { id, accepted }: { id: string; accepted: string },
  path: string,
  body: object,
): Promise<void> {
  if (await found(demo, collection, id)) {
    demo.report.found += 1
    return
  }
  const named = { ...body, external_refs: [{ system: 'demo', id }] }
  const proposal = await demo.client.must('POST', `/v1/${path}`, named)
  demo.report.created += 1
  await demo.step(collection, proposal, 'accept', { party_id: accepted })
}
