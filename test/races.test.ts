import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { secretBox } from '../src/platform/secrets.ts'
import { type Json, startService } from './support/harness.ts'
import { meet } from './support/meeting.ts'
import { faultsOf } from './support/promises.ts'
import { partnershipOf, plan } from './support/rounds.ts'

// Two at once, of whom the second decides on what the first leaves.

const clock = fixedClock('2026-06-15T12:00:00Z')
const webhooks = { outbound: makeOutbound({ allowPrivate: true }), box: secretBox([Buffer.alloc(32, 7)]) }
const service = await startService(t, { clock, webhooks })
const asNew = { ifMatch: '"1"' }
const path = (kind: string, { id }: Json, verb = '') => `/v1/${kind}/${id}${verb && `/${verb}`}`

t.test('whoever is invited while being erased is not asked', async (t) => {
  const partnership = await partnershipOf(service)
  const [{ id: party_id, organisation_id }] = partnership.parties
  const round = await plan(service, partnership, { response_mode: 'individual' })
  const named = () =>
    service.make(`/v1/organisations/${organisation_id}/contacts`, { name: 'Noor', function: 'finance' })
  const invite = (contact: Json) => () =>
    service.call('POST', path('evaluations', round, 'invitations'), {
      ...{ party_id, contact_id: contact.id, function: 'finance' },
    })
  const erase = (contact: Json) => () => service.call('POST', path('contacts', contact, 'erase'), {}, asNew)

  const noor = await named()
  const [invited, erased] = await meet(t, service, invite(noor), erase(noor))
  t.same([invited.status, erased.status], [201, 200])
  const { body } = await service.get(path('evaluation-invitations', invited.body))
  t.match(body, { status: 'expired', function: null })

  const another = await named()
  const [gone, refused] = await meet(t, service, erase(another), invite(another))
  t.same([gone.status, refused.status], [200, 422])
  t.same(faultsOf(refused), ['/contact_id unknown_reference'])
})
