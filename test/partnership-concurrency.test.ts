import t from 'tap'
import { type Answer, type Json, startService } from './support/harness.ts'
import { draft, pair, partnershipIn } from './support/world.ts'

const service = await startService(t)
const fifty = <T>(work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 50 }, (_, at) => work(at)))
const countOf = (answers: readonly Answer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length

t.test('of 50 patches with one ETag exactly one wins', async (t) => {
  const { id } = await draft(service)
  const answers = await fifty((at) =>
    service.call('PATCH', `/v1/partnerships/${id}`, { name: `Name ${at}` }, { ifMatch: '"1"' }),
  )
  t.equal(countOf(answers, 200), 1)
  t.equal(countOf(answers, 412), 49)
  const won = answers.find(({ status }) => status === 200)
  t.same((await service.get(`/v1/partnerships/${id}`)).body, won?.body)
  t.equal(won?.etag, '"2"')
})

t.test('of 50 steps with one ETag exactly one is taken', async (t) => {
  const { id } = await partnershipIn(service, 'proposed')
  const verbs = ['decline', 'withdraw']
  const answers = await fifty((at) =>
    service.call('POST', `/v1/partnerships/${id}/${verbs[at % 2]}`, { reason: 'Now' }, { ifMatch: '"2"' }),
  )
  t.equal(countOf(answers, 200), 1)
  t.equal(countOf(answers, 412), 49)
  const { body } = await service.get(`/v1/partnerships/${id}/history`)
  t.equal(body.data.length, 3, 'and stands in the history once')
})

t.test('of 50 upserts of a new id exactly one creates', async (t) => {
  const { company, charity } = await pair(service)
  const write = {
    name: 'Once',
    parties: [
      { organisation_id: company.id, side: 'company' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
  }
  const answers = await fifty(() => service.call('PUT', '/v1/partnerships/by-ref/crm/once', write))
  t.equal(countOf(answers, 201), 1)
  t.equal(countOf(answers, 200), 49)
  t.same([...new Set(answers.map(({ body }) => body.id))].length, 1)
  t.same([...new Set(answers.map(({ etag }) => etag))], ['"1"'], 'the others change nothing')
  const { body } = await service.get(`/v1/partnerships?organisation_id=${company.id}&include_total=true`)
  t.equal(body.total, 1)
})

t.test('two renewals that would close a circle between them: one is refused', async (t) => {
  const [one, two] = [await draft(service), await draft(service)]
  const renew = ({ id }: Json, other: Json) =>
    service.call('PATCH', `/v1/partnerships/${id}`, { predecessor_id: other.id }, { ifMatch: '"1"' })
  const answers = await Promise.all([renew(one, two), renew(two, one)])
  t.same(answers.map(({ status }) => status).sort(), [200, 422])
})
