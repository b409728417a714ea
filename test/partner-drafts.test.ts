import t from 'tap'
import { partnerFields } from '../src/platform/partners/fields.ts'
import { type Json, startService } from './support/harness.ts'
import { allianceOfPartners } from './support/partners.ts'
import { agreed, commitment, pathOf } from './support/promises.ts'
import { stepOf } from './support/world.ts'

// Of the other side's drafts a partner is told nothing, whatever names them.

const service = await startService(t)

/** An alliance in which the charity thinks of a promise, and what the company's portal reads. */
async function world() {
  const { as, seats, companyKey: key, charityKey } = await allianceOfPartners(service)
  const ofCharity = { from_party_id: seats.charity, to_party_id: seats.company }
  const external_refs = [{ system: 'crm', id: 'only-thought-of' }]
  const draft = await commitment(as, seats, { ...ofCharity, title: 'Only thought of', external_refs })
  const amend = (gift: Json, terms: object, more: object = {}): Promise<Json> =>
    as.make(`/v1/partnerships/${seats.partnership.id}/amendments`, {
      cause: 'renewal',
      proposed_by_party_id: seats.charity,
      changes: { commitments: [{ commitment_id: gift['id'], terms }] },
      ...more,
    })
  const read = (path: string) => as.get(path, { key })
  const feed = async (id: string): Promise<Json[]> =>
    (await read('/v1/events?limit=500')).body.data.filter(({ resource_id }: Json) => resource_id === id)
  return { as, seats, key, charityKey, draft, amend, read, feed, ofCharity }
}

const named = ({ changes, diff }: Json) => ({
  changes: changes.commitments[0].terms.in_return_for,
  diff: diff
    .filter(({ member }: Json) => member === 'in_return_for')
    .flatMap(({ before, after }: Json) => [before, after]),
})

t.test('an amendment names no draft, and another version does once that is proposed', async (t) => {
  const { as, seats, key, draft, amend, read, feed, ofCharity } = await world()
  const gift = await agreed(as, seats)
  const shared = await agreed(as, seats, ofCharity)
  const in_return_for = [draft.id.toUpperCase(), shared.id]
  const { id } = await amend(gift, { title: 'In return', in_return_for })
  const path = `/v1/amendments/${id}`
  const seen = async () => named((await read(path)).body)
  const without = { changes: [shared.id], diff: [[], [shared.id]] }
  t.same(await seen(), without)
  t.same(named((await as.get(path)).body).diff, [[], [draft.id, shared.id]], 'its author sees it')

  // The harness refuses two bodies under one ETag.
  await stepOf(as, pathOf(draft), 'propose')
  t.same(await seen(), { changes: [in_return_for[0], shared.id], diff: [[], [draft.id, shared.id]] })
  const told = (await feed(id)).at(-1)
  t.match(told, { type: 'amendment.updated', changed: ['changes', 'diff'], version: 2 })
  t.same(told?.['data'], (await read(path)).body)
  await stepOf(as, pathOf(draft), 'withdraw')
  t.same(await seen(), without)
  t.same(
    (await feed(id)).map(({ data }) => named(data)),
    [without, without, without],
    'as it stands now',
  )

  const assent = { party_id: seats.company }
  const accepted = await as.call('POST', `${path}/accept`, assent, { key, ifMatch: '*' })
  t.match(accepted, { status: 200, body: { status: 'accepted' } })
  t.same(named(accepted.body), without, 'in the answer to a write')
  for (const place of [path, '/v1/amendments', pathOf(gift), `${pathOf(gift)}/terms`])
    t.notMatch((await read(place)).text.toLowerCase(), draft.id, place)
  const others = (await read('/v1/events?limit=500')).body.data.filter(
    ({ resource_id }: Json) => resource_id !== draft.id,
  )
  t.notMatch(JSON.stringify(others).toLowerCase(), draft.id)
  await stepOf(as, pathOf(draft), 'propose')
  t.same((await read(`${pathOf(gift)}/terms`)).body.terms.in_return_for, [draft.id, shared.id])
  t.equal((await feed(id)).at(-1)?.['version'], 5, 'also when it is decided')
})

t.test('what an amendment takes away names no draft either', async (t) => {
  const { as, seats, draft, amend, read } = await world()
  const gift = await agreed(as, seats, { in_return_for: [draft.id] })
  const { id } = await amend(gift, { in_return_for: [] })
  t.same(named((await as.get(`/v1/amendments/${id}`)).body).diff, [[draft.id], []])
  t.same(named((await read(`/v1/amendments/${id}`)).body), { changes: [], diff: [[], []] })
})

t.test('what is named by an id in another system is not shown so', async (t) => {
  const { as, seats, draft, amend, read } = await world()
  const gift = await agreed(as, seats)
  const { id } = await amend(gift, { in_return_for: [{ system: 'crm', id: 'only-thought-of' }] })
  const answer = await read(`/v1/amendments/${id}`)
  t.notMatch(answer.text, 'only-thought-of')
  t.same(named(answer.body), { changes: [], diff: [[], []] })
  await stepOf(as, pathOf(draft), 'propose')
  const proposed = await read(`/v1/amendments/${id}`)
  t.notMatch(proposed.text, 'only-thought-of')
  t.same(named(proposed.body), { changes: [], diff: [[], [draft.id]] }, 'but by ours')
})

t.test('every list of commitments that a partner can receive is cut', (t) => {
  const { schemas } = service.document.components
  const parties = new Set(['RequiredAssent any_of'])
  const isOfIds = ({ items }: Json) =>
    items && [items, ...(items.anyOf ?? [])].some(({ format, $ref }: Json) => format === 'uuid' || /Ref$/.test($ref))
  const found = Object.entries(partnerFields).flatMap(([name, { shown }]) =>
    shown
      .split(' ')
      .filter((member) => isOfIds(schemas[name]?.properties?.[member] ?? {}))
      .map((member) => `${name} ${member}`),
  )
  const cut = Object.entries(partnerFields).flatMap(
    ([name, { naming }]) => naming?.split(' ').map((member) => `${name} ${member}`) ?? [],
  )
  t.same(
    found.filter((each) => !parties.has(each) && !cut.includes(each)),
    [],
    'say in fields.ts that it is naming',
  )
  t.ok(found.length > parties.size + 1)
  t.end()
})
