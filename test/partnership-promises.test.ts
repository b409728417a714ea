import t from 'tap'
import { type Json, startService } from './support/harness.ts'
import { type Alliance, agreed, alliance, pathOf as commitmentPath } from './support/promises.ts'
import { pauseOf, stepOf } from './support/world.ts'

// What a partnership's life and its commitments ask of each other.

const service = await startService(t)
const pathOf = ({ partnership }: Alliance): string => `/v1/partnerships/${partnership.id}`
const codesOf = (body: Json): string[] => body.errors.map(({ code }: Json) => code)
const statusOf = async (commitment: Json): Promise<string> =>
  (await service.get(commitmentPath(commitment))).body.status

t.test('a partnership begins without a waiver once each side has promised something', async (t) => {
  const seats = await alliance(service, 'proposed')
  for (const party_id of [seats.company, seats.charity]) await stepOf(service, pathOf(seats), 'assent', { party_id })
  const neither = await service.step(pathOf(seats), 'activate')
  t.match(neither, { status: 422, body: { code: 'condition_unmet', errors: [{ code: 'reciprocity' }] } })
  t.match(neither.body.detail, /company, nor from non_profit/)

  await agreed(service, seats)
  const oneSided = await service.step(pathOf(seats), 'activate')
  t.same(codesOf(oneSided.body), ['reciprocity'])
  t.match(oneSided.body.detail, /the side non_profit:/)

  const back = { from_party_id: seats.charity, to_party_id: seats.company, kind: 'visibility', title: 'A thank-you' }
  await agreed(service, seats, back)
  const active = await stepOf(service, pathOf(seats), 'activate')
  t.match(active, { status: 'active', reciprocity_waiver: null })
})

t.test('commitments pause and go on with their partnership, but for those that are exempt', async (t) => {
  const seats = await alliance(service)
  const [usual, loyal] = [await agreed(service, seats), await agreed(service, seats, { pause_exempt: true })]
  await stepOf(service, pathOf(seats), 'pause', pauseOf(seats.partnership))
  t.same([await statusOf(usual), await statusOf(loyal)], ['paused', 'agreed'])
  await stepOf(service, pathOf(seats), 'resume')
  t.same([await statusOf(usual), await statusOf(loyal)], ['agreed', 'agreed'])
})

t.test(
  'a partnership ends when its commitments have; those still open are listed, with all else that is missing',
  async (t) => {
    const seats = await alliance(service)
    const [one, two] = [await agreed(service, seats), await agreed(service, seats, { title: 'Another gift' })]
    await stepOf(service, commitmentPath(two), 'lapse', { party_id: seats.company, reason: 'The shops are closed' })
    await stepOf(service, pathOf(seats), 'wind-down', { ends_on: '2026-12-31', end_reason: 'completed' })
    const answer = await service.step(pathOf(seats), 'end')
    t.match(answer, { status: 422, body: { code: 'condition_unmet' } })
    t.same(codesOf(answer.body), ['commitments_open', 'exit_evaluation'])
    t.same(answer.body.open_commitments, [
      { id: one.id, title: 'A gift', status: 'agreed' },
      { id: two.id, title: 'Another gift', status: 'lapsed' },
    ])
    t.match(answer.body.errors[0].detail, new RegExp(`"Another gift" \\(${two.id}, lapsed\\)`))

    await stepOf(service, commitmentPath(one), 'cancel', { party_id: seats.company, reason: 'No budget' })
    await stepOf(service, commitmentPath(two), 'release', { party_id: seats.charity, reason: 'Better times will come' })
    const waived = await stepOf(service, pathOf(seats), 'end', { exit_evaluation_waiver: 'Too small' })
    t.equal(waived.status, 'ended')
  },
)

t.test('each step is an event with the partnership as it was then', async (t) => {
  const { partnership } = await alliance(service)
  const path = `/v1/partnerships/${partnership.id}`
  await service.call('PATCH', path, { name: 'Renamed', stage: 'knowledge' }, { ifMatch: '"5"' })
  await stepOf(service, path, 'pause', pauseOf(partnership))
  await stepOf(service, path, 'resume')
  await stepOf(service, path, 'wind-down', { ends_on: '2026-12-31', end_reason: 'other' })
  await stepOf(service, path, 'keep-on')
  await stepOf(service, path, 'wind-down', { ends_on: '2026-12-31', end_reason: 'other' })
  const ended = await stepOf(service, path, 'end', { exit_evaluation_waiver: 'Too small' })
  const { body } = await service.get('/v1/events?types=partnership.*&limit=200')
  const events = body.data.filter(({ resource_id }: Json) => resource_id === partnership.id)
  t.same(
    events.map(({ type, data }: Json) => [type.replace('partnership.', ''), data.status]),
    [
      ['created', 'draft'],
      ['proposed', 'proposed'],
      ['assented', 'proposed'],
      ['assented', 'proposed'],
      ['activated', 'active'],
      ['updated', 'active'],
      ['paused', 'paused'],
      ['resumed', 'active'],
      ['wound_down', 'ending'],
      ['kept_on', 'active'],
      ['wound_down', 'ending'],
      ['ended', 'ended'],
    ],
  )
  t.same(events[5].changed.sort(), ['name', 'stage'])
  t.same(events.at(-1).data, ended)
})
