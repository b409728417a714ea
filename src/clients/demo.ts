import type { Client, Reply } from './client.ts'
import { change, termsOf } from './demo-changes.ts'
import { others } from './demo-others.ts'
import { running } from './demo-partnerships.ts'
import {
  contacts,
  type DemoCommitment,
  type DemoPartnership,
  objectives,
  organisations,
  readiness,
} from './demo-portfolio.ts'
import { holdReadiness, holdRound } from './demo-rounds.ts'
import { Demo, type DemoReport } from './demo-run.ts'
import { linkObjectives, setThresholds, strike } from './demo-strategy.ts'

/**
 * Fills a service with a small invented portfolio; what is there already stays as it is.
 * @throws Refused where the service refuses a part of it
 */
export async function loadDemo(client: Client): Promise<DemoReport> {
  const demo = new Demo(client)
  for (const [id, body] of Object.entries(organisations)) {
    const reply = await demo.put('organisations', id, body)
    demo.organisationIds.set(id, reply.body.id)
  }
  for (const { organisation, id, body } of contacts) {
    await demo.put(`organisations/${demo.organisationIds.get(organisation)}/contacts`, id, body)
  }
  for (const { id, organisation, body } of objectives) {
    await demo.put('objectives', id, { ...body, organisation_ref: { system: 'demo', id: organisation } })
  }
  for (const partnership of [...running, ...others]) await loadPartnership(demo, partnership)
  await holdReadiness(demo, readiness)
  await linkObjectives(demo)
  await strike(demo)
  await setThresholds(demo)
  return demo.report
}

async function loadPartnership(demo: Demo, plan: DemoPartnership): Promise<void> {
  let partnership = await demo.put('partnerships', plan.id, { ...plan.body, parties: plan.parties })
  const party = partyOf(demo, partnership)
  const lives = [...plan.begin, ...(plan.start ?? []), ...(plan.finish ?? [])]
  partnership = await demo.live('partnerships', partnership, plan.begin, party)
  const promised: [DemoCommitment, Reply][] = []
  for (const commitment of plan.commitments) {
    promised.push([commitment, await promise(demo, plan.id, commitment, party)])
  }
  // A state that these steps do not lead to is one that the partnership came to later.
  partnership = await demo.live('partnerships', partnership, [...plan.begin, ...(plan.start ?? [])], party)
  for (const [commitment, reply] of promised) await deliver(demo, commitment, reply, party)
  for (const round of plan.rounds ?? []) await holdRound(demo, plan.id, round, party)
  const now = await demo.client.must('GET', `/v1/partnerships/${partnership.body.id}`)
  await demo.live('partnerships', now, lives, party)
}

function partyOf(demo: Demo, { body }: Reply): (name: string) => string {
  const parties = body.parties as { id: string; organisation_id: string }[]
  return (name) => {
    const found = parties.find(({ organisation_id }) => organisation_id === demo.organisationIds.get(name))
    if (!found) throw new Error(`${name} is no party of ${body.name}`)
    return found.id
  }
}

async function promise(
  demo: Demo,
  partnership: string,
  plan: DemoCommitment,
  party: (name: string) => string,
): Promise<Reply> {
  const { id, from, to, steps, later = [] } = plan
  const reply = await demo.put('commitments', id, {
    ...(await termsOf(demo, plan)),
    partnership_ref: { system: 'demo', id: partnership },
    from_party_id: party(from),
    ...(to === undefined ? {} : { to_party_id: party(to) }),
  })
  const before = ['draft', ...steps.map((step) => step.to)]
  const isLater = later.some((step) => step.to === reply.body.status) && !before.includes(reply.body.status)
  return isLater ? reply : demo.live('commitments', reply, steps, party)
}

/** What was delivered on a commitment, and what became of it once its partnership ran. */
async function deliver(
  demo: Demo,
  plan: DemoCommitment,
  { body }: Reply,
  party: (name: string) => string,
): Promise<void> {
  const { id, fulfilments = [], steps, later = [] } = plan
  for (const { id: ref, body: delivered, confirmedBy, disputedBy, why } of fulfilments) {
    let fulfilment = await demo.client.send('GET', `/v1/fulfilments/by-ref/demo/${ref}`)
    if (fulfilment.status === 404) {
      const whole = { ...delivered, external_refs: [{ system: 'demo', id: ref }] }
      fulfilment = await demo.client.must('POST', `/v1/commitments/${body.id}/fulfilments`, whole)
      demo.report.created += 1
    } else demo.report.found += 1
    if (fulfilment.body.confirmation !== 'reported') continue
    if (confirmedBy) await demo.step('fulfilments', fulfilment, 'confirm', { party_id: party(confirmedBy) })
    if (disputedBy) await demo.step('fulfilments', fulfilment, 'dispute', { party_id: party(disputedBy), reason: why })
  }
  await change(demo, plan, { partnershipId: body.partnership_id, commitmentId: body.id }, party)
  if (later.length === 0) return
  const now = await demo.client.must('GET', `/v1/commitments/by-ref/demo/${id}`)
  await demo.live('commitments', now, [...steps, ...later], party)
}
