import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { draft, leadTo, pair } from './support/world.ts'

/** The names of all partnerships that a query finds. */
const namesIn = async (service: Service, query: string): Promise<string[]> => {
  const answer = await service.get(`/v1/partnerships?${query}`)
  t.equal(answer.status, 200, query)
  return answer.body.data.map(({ name }: Json) => name)
}

t.test('partnerships are found by what they are', async (t) => {
  const service = await startService(t, { clock: fixedClock('2026-03-01T12:00:00Z') })
  const { company, charity } = await pair(service)
  const contact = await service.make(`/v1/organisations/${charity.id}/contacts`, { name: 'Ada', function: 'other' })
  const first = await draft(service, {
    name: 'Élan naar school',
    reference: 'P-2026/7',
    relationship_type: 'integrative',
    stage: 'knowledge',
    starts_on: '2026-01-01',
    ends_on: '2026-12-31',
    external_refs: [{ system: 'crm', id: 'a:1' }],
  })
  await leadTo(service, first, 'active')
  await draft(service, { name: 'Bos en water', predecessor_id: first.id, starts_on: '2027-01-01' })
  await service.make('/v1/partnerships', {
    name: 'Zorg 100%',
    relationship_type: 'philanthropic',
    parties: [
      { organisation_id: company.id, side: 'company' },
      { organisation_id: charity.id, side: 'non_profit' },
    ],
    managers: [{ organisation_id: charity.id, contact_id: contact.id }],
  })
  const found: Record<string, string[]> = {
    'q=elan': ['Élan naar school'],
    'q=p-2026/7': ['Élan naar school'],
    'q=100%25': ['Zorg 100%'],
    'q=%25': ['Zorg 100%'],
    'q=naar_school': [],
    'status=active': ['Élan naar school'],
    'status=active,draft&sort=name': ['Bos en water', 'Élan naar school', 'Zorg 100%'],
    'status=ended': [],
    'relationship_type=integrative,philanthropic&sort=-name': ['Zorg 100%', 'Élan naar school'],
    'stage=knowledge': ['Élan naar school'],
    [`predecessor_id=${first.id}`]: ['Bos en water'],
    [`organisation_id=${company.id}`]: ['Zorg 100%'],
    [`organisation_id=${company.id}&side=company`]: ['Zorg 100%'],
    [`organisation_id=${company.id}&side=non_profit`]: [],
    'side=public': [],
    [`manager_contact_id=${contact.id}`]: ['Zorg 100%'],
    'external_ref=crm:a:1': ['Élan naar school'],
    'external_ref=crm:a': [],
    'starts_from=2026-01-01&starts_before=2027-01-01': ['Élan naar school'],
    'starts_from=2026-01-02': ['Bos en water'],
    'ends_from=2026-12-31': ['Élan naar school'],
    'ends_before=2026-12-31': [],
    'ends_before=9999-12-31': ['Élan naar school'],
    'updated_since=2026-03-01T12:00:00Z&sort=starts_on': ['Élan naar school', 'Bos en water', 'Zorg 100%'],
    'updated_since=2026-03-01T12:00:00.000001Z': [],
    'sort=-ends_on&status=active': ['Élan naar school'],
  }
  for (const [query, names] of Object.entries(found)) t.same(await namesIn(service, query), names, query)
  const sides = await namesIn(service, 'side=non_profit')
  t.equal(sides.length, 3)
  for (const bad of ['status=gone', 'starts_from=yesterday', 'organisation_id=1', 'external_ref=crm', 'nonsense=1']) {
    t.equal((await service.get(`/v1/partnerships?${bad}`)).status, 400, bad)
  }
})

/** Does each of these, a few at a time. */
async function eachOf<T>(values: readonly T[], work: (value: T) => Promise<unknown>): Promise<void> {
  const queue = [...values]
  const worker = async (): Promise<void> => {
    for (let value = queue.shift(); value !== undefined; value = queue.shift()) await work(value)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

t.test('lists are walked to their end while 1,000 rows are written', async (t) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const service = await startService(t, { clock })
  const still: string[] = []
  const moving: string[] = []
  // All in one instant, with few names and days: ids alone tell them apart.
  await eachOf([...Array(200).keys()], async (at) => {
    const write = { name: `Name ${at % 3}`, starts_on: at % 4 === 0 ? null : `2026-01-0${(at % 4) + 1}` }
    const { id } = await service.make('/v1/partnerships', write)
    if (at % 2 === 0) moving.push(id)
    else still.push(id)
  })
  clock.advance(1)
  let isWriting = true

  /** How often each row was seen on one way through the list. */
  async function walk(sort: string): Promise<Map<string, number>> {
    const seen = new Map<string, number>()
    let next: string | null = ''
    while (next !== null) {
      const { body } = await service.get(`/v1/partnerships?sort=${sort}&limit=50${next && `&cursor=${next}`}`)
      for (const { id } of body.data) seen.set(id, (seen.get(id) ?? 0) + 1)
      next = body.next_cursor
    }
    return seen
  }

  async function keepWalking(sort: string): Promise<void> {
    while (isWriting) {
      const seen = await walk(sort)
      const others = still.filter((id) => seen.get(id) !== 1)
      t.same(others, [], `by ${sort}, every row that stayed as it was is seen exactly once`)
    }
  }

  async function write(): Promise<void> {
    await eachOf([...Array(1000).keys()], async (at) => {
      const id = moving[at / 10]
      if (id) await service.call('PATCH', `/v1/partnerships/${id}`, { name: `New ${at}` }, { ifMatch: '*' })
      else await service.make('/v1/partnerships', { name: `Name ${at % 5}` })
    })
    isWriting = false
  }

  await Promise.all([write(), ...['created_at', '-name', 'starts_on', 'updated_at'].map(keepWalking)])
  const { body } = await service.get('/v1/partnerships?limit=1&include_total=true')
  t.equal(body.total, 1100, 'and all was written')
})
