import t from 'tap'
import { type Json, type Service, startService } from './support/harness.ts'
import { allianceTakenOver, commitment } from './support/promises.ts'
import { faults, partnershipOf, plan } from './support/rounds.ts'

// Records that a write names by the client's own ids, beside those that every test of their kind names so.

const shared = await startService(t)
const ref = (id: string) => ({ system: 'crm', id })
const unknown = ref('none')
const tagged = (id: string) => ({ external_refs: [ref(id)] })

const contactOf = (service: Service, organisationId: string, id: string): Promise<Json> =>
  service.make(`/v1/organisations/${organisationId}/contacts`, {
    ...{ name: 'Noor de Vries', function: 'alliance_manager' },
    ...tagged(id),
  })

t.test('a manager of a partnership', async (t) => {
  const service = await shared.afresh()
  const { parties, ...partnership } = await partnershipOf(service)
  const [company, charity] = parties
  const contact = await contactOf(service, charity.organisation_id, 'C-1')
  const say = (...managers: object[]) =>
    service.call('PATCH', `/v1/partnerships/${partnership['id']}`, { managers }, { ifMatch: '*' })
  const said = await say({ party_id: charity.id, contact_ref: ref('C-1') })
  t.match(said, { status: 200, body: { managers: [{ party_id: charity.id, contact_id: contact.id }] } })
  t.equal((await say({ party_id: charity.id, contact_id: contact.id })).body.version, said.body.version, 'the same')

  const wrong = await say(
    { party_id: charity.id },
    { party_id: charity.id, contact_id: contact.id, contact_ref: ref('C-1') },
    { party_id: charity.id, contact_ref: unknown },
    { party_id: company.id, contact_ref: ref('C-1') },
  )
  t.equal(wrong.status, 422)
  t.same(faults(wrong), [
    '/managers/0/contact_id required',
    '/managers/1/contact_ref exclusive',
    '/managers/2/contact_ref unknown_reference',
    '/managers/3/contact_ref other_organisation',
  ])
})

t.test('a person who is invited to a round', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const [company, charity] = partnership.parties
  const contact = await contactOf(service, charity.organisation_id, 'C-1')
  const round = await plan(service, partnership)
  const invite = (body: object) => service.call('POST', `/v1/evaluations/${round.id}/invitations`, body)
  const wrong = async (body: object) => faults(await invite(body))
  t.same(await wrong({ party_id: charity.id, contact_ref: unknown }), ['/contact_ref unknown_reference'])
  t.same(await wrong({ party_id: company.id, contact_ref: ref('C-1') }), ['/contact_ref unknown_reference'])
  const both = { party_id: charity.id, contact_id: contact.id, contact_ref: ref('C-1') }
  t.same(await wrong(both), ['/contact_ref exclusive'])
  const invited = await invite({ party_id: charity.id, contact_ref: ref('C-1') })
  t.match(invited, { status: 201, body: { party_id: charity.id, contact_id: contact.id } })
})

t.test('what carried the response to an impact out', async (t) => {
  const service = await shared.afresh()
  const [ours, theirs] = [await allianceTakenOver(service), await allianceTakenOver(service)]
  const extra = await commitment(service, ours, tagged('P-1'))
  await commitment(service, theirs, tagged('P-2'))
  const round = await plan(service, ours.partnership, tagged('E-1'))
  const disruption = await service.make('/v1/disruptions', {
    ...{ title: 'Corona', type: 'pandemic', started_on: '2026-02-27' },
  })
  const write = {
    ...{ disruption_id: disruption.id, partnership_id: ours.partnership.id },
    ...{ severity: 'high', effects: ['demand_up'], response: 'extra_support', response_due_on: '2027-04-01' },
  }
  const say = (body: object) => service.call('PUT', '/v1/impacts/by-ref/crm/I-1', { ...write, ...body })
  const made = await say({ response_commitment_ref: ref('P-1'), response_evaluation_ref: ref('E-1') })
  const named = { response_commitment_id: extra.id, response_evaluation_id: round.id }
  t.match(made, { status: 201, body: named })
  t.match(await say(named), { status: 200, etag: made.etag }, 'by our ids it is the same')
  const patch = (body: object) => service.call('PATCH', `/v1/impacts/${made.body.id}`, body, { ifMatch: '*' })
  t.match(await patch({ response_evaluation_id: null }), { body: { response_evaluation_id: null } })
  t.match(await patch({ response_evaluation_ref: ref('E-1') }), { body: named })

  const wrong = await say({ response_commitment_ref: ref('P-2'), response_evaluation_ref: unknown })
  t.same(faults(wrong).sort(), [
    '/response_commitment_ref unknown_reference',
    '/response_evaluation_ref unknown_reference',
  ])
  const both = await say({ response_evaluation_ref: ref('E-1'), response_evaluation_id: round.id })
  t.same(faults(both), ['/response_evaluation_ref exclusive'])
})

t.test('the evaluation that an assessment of a contribution rests on', async (t) => {
  const service = await shared.afresh()
  const [ours, theirs] = [await allianceTakenOver(service), await allianceTakenOver(service)]
  const round = await plan(service, ours.partnership, tagged('E-1'))
  await plan(service, theirs.partnership, tagged('E-2'))
  const organisation_id = ours.partnership.parties.find(({ id }: Json) => id === ours.charity).organisation_id
  const objective = await service.make('/v1/objectives', {
    ...{ organisation_id, level: 'outcome', title: 'Meer kinderen lezen', importance: 4, active_from: '2026-01-01' },
  })
  const link = (body: object) =>
    service.call('POST', '/v1/objective-links', {
      ...{ partnership_id: ours.partnership.id, objective_id: objective.id, contribution: 2, ...body },
    })
  t.match(await link({ evaluation_ref: ref('E-1') }), { status: 201, body: { evaluation_id: round.id } })
  t.same(faults(await link({ evaluation_ref: ref('E-2') })), ['/evaluation_ref unknown_reference'])
  t.same(faults(await link({ evaluation_ref: unknown })), ['/evaluation_ref unknown_reference'])
  t.same(faults(await link({ evaluation_ref: ref('E-1'), evaluation_id: round.id })), ['/evaluation_ref exclusive'])
})
