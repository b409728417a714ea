import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { type Answer, type Json, startService } from './support/harness.ts'
import { type Alliance, allianceTakenOver, commitment, deliver, pathOf, takenOver } from './support/promises.ts'

// Two sides act at once on one promise. Whatever they do, what comes of it is what would have come of the one after the
// other, in one order or the other: the answers to both, and all that stands in the records afterwards.

const pairs = Number(process.env['CONCURRENT_PAIRS'] ?? 200)
const lanes = 8

const service = await startService(t, { clock: fixedClock('2026-03-10T12:00:00Z') })
const euros = (amount: string) => ({ type: 'money', amount, currency: 'EUR' })

/** Two deeds at once, and what the substitution would replace if it is one of them. */
interface Pair {
  deeds: readonly [string, string]
  replaced: string
}

/** A gift of 1,000, and of what may be decided on it that which two deeds decide. */
interface Scene {
  seats: Alliance
  gift: Json
  entry?: Json
  substitution?: Json
  amendment?: Json
}

async function sceneFor(seats: Alliance, { deeds: both, replaced }: Pair): Promise<Scene> {
  const schedule = { frequency: 'monthly', starts_on: '2026-01-31', count: 4 }
  const gift = await takenOver(service, seats, 'agreed', { agreed_on: '2026-01-01', schedule })
  const scene: Scene = { seats, gift }
  if (both.includes('confirm')) {
    scene.entry = await deliver(service, gift, '700.00', { reported_by_party_id: seats.company })
  }
  if (both.includes('accept the substitution')) {
    const other = await commitment(service, seats, { kind: 'goods', title: 'Goods' })
    scene.substitution = await service.make('/v1/substitutions', {
      ...{ replaces_commitment_id: gift.id, replaced_measure: euros(replaced), by_commitment_id: other.id },
      ...{ reason: 'A pandemic', proposed_by_party_id: seats.company },
    })
  }
  if (both.includes('accept the amendment')) {
    scene.amendment = await service.make(`/v1/partnerships/${seats.partnership.id}/amendments`, {
      ...{ cause: 'disruption', proposed_by_party_id: seats.company },
      changes: { commitments: [{ commitment_id: gift.id, terms: { measure: euros('800.00') } }] },
    })
  }
  return scene
}

const step = (path: string, party_id: string, more: object = {}): Promise<Answer> =>
  service.call('POST', path, { party_id, ...more }, { ifMatch: '*' })

const reason = 'As it goes'
const deeds: Record<string, (scene: Scene) => Promise<Answer>> = {
  'accept the substitution': ({ substitution, seats }) =>
    step(`/v1/substitutions/${substitution?.id}/accept`, seats.charity),
  'accept the amendment': ({ amendment, seats }) => step(`/v1/amendments/${amendment?.id}/accept`, seats.charity),
  report: ({ gift, seats }) =>
    service.call('POST', `${pathOf(gift)}/fulfilments`, {
      ...{ delivered_on: '2026-03-01', measure: euros('300.00'), reported_by_party_id: seats.company },
    }),
  confirm: ({ entry, seats }) => step(`/v1/fulfilments/${entry?.id}/confirm`, seats.charity),
  release: ({ gift, seats }) => step(`${pathOf(gift)}/release`, seats.charity, { reason }),
  cancel: ({ gift, seats }) => step(`${pathOf(gift)}/cancel`, seats.company, { reason }),
  lapse: ({ gift, seats }) => step(`${pathOf(gift)}/lapse`, seats.charity, { reason }),
}
const names = Object.keys(deeds)
const take = (scene: Scene, name: string): Promise<Answer> => (deeds[name] as (scene: Scene) => Promise<Answer>)(scene)

/** What was answered to both, and how all stands afterwards: in one look, for it is taken hundreds of times. */
async function outcome({ gift, substitution, amendment }: Scene, answers: Answer[]): Promise<string> {
  const [stands, { body }] = await Promise.all([
    service.database.read(service, async (tx) => {
      const { rows } = await sql<Json>`
        select (select json_agg(json_build_array(i.seq, i.due_on, i.state, i.measure, i.replaced, i.settled,
              i.superseded_on) order by i.seq) from instalments i
            where i.tenant_id = ${tx.tenantId} and i.commitment_id = ${gift.id}) as plan,
          (select json_agg(json_build_array(f.amount, f.confirmation, f.version) order by f.amount) from fulfilments f
            where f.tenant_id = ${tx.tenantId} and f.commitment_id = ${gift.id}) as ledger,
          (select json_agg(json_build_array(h.version, h.from_status, h.to_status) order by h.version)
            from status_changes h where h.tenant_id = ${tx.tenantId} and h.resource_id = ${gift.id}) as history,
          (select json_build_array(s.status, s.version, b.status, b.version, b.agreed_on) from substitutions s
            join commitments b on b.tenant_id = s.tenant_id and b.id = s.by_commitment_id
            where s.tenant_id = ${tx.tenantId} and s.id = ${substitution?.id ?? null}) as replacing,
          (select json_build_array(a.status, a.version) from amendments a
            where a.tenant_id = ${tx.tenantId} and a.id = ${amendment?.id ?? null}) as amending`.execute(tx.db)
      return rows[0]
    }),
    service.get(pathOf(gift)),
  ])
  const { status, version, measure, delivered, reported, replaced, outstanding, closed_on, fulfilment_counts } = body
  return JSON.stringify({
    answers: answers.map(({ status: code, body: told }) => [
      code,
      told.code,
      told.errors?.map((one: Json) => one.code),
    ]),
    gift: { status, version, measure, delivered, reported, replaced, outstanding, closed_on, fulfilment_counts },
    ...stands,
  })
}

/** The one after the other. The answers stand in the order of the pair, whichever came first. */
async function oneByOne(seats: Alliance, pair: Pair, isForth: boolean): Promise<string> {
  const [a, b] = pair.deeds
  const scene = await sceneFor(seats, pair)
  const first = await take(scene, isForth ? a : b)
  const second = await take(scene, isForth ? b : a)
  return outcome(scene, isForth ? [first, second] : [second, first])
}

/** Pairs come again: what comes of them one by one is found once. */
const serial = new Map<string, Promise<string>>()
function serialOutcomes(seats: Alliance, pair: Pair): Promise<string>[] {
  return [true, false].map((isForth) => {
    const name = JSON.stringify([pair, isForth])
    const found = serial.get(name) ?? oneByOne(seats, pair, isForth)
    serial.set(name, found)
    return found
  })
}

t.test('of two deeds at once comes what comes of one after the other', async (t) => {
  // In the order of their names: which comes first is for the service to say.
  const two = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...names))
    .map((both) => both.toSorted() as [string, string])
  const chosen = fc
    .record({ deeds: two, replaced: fc.constantFrom('1000.00', '400.00') })
    .map((pair) => (pair.deeds.includes('accept the substitution') ? pair : { ...pair, replaced: '' }))
  // What is most likely to meet, always; and what chance brings.
  const likely: Pair[] = [
    { deeds: ['accept the substitution', 'report'], replaced: '1000.00' },
    { deeds: ['accept the substitution', 'report'], replaced: '400.00' },
    { deeds: ['accept the substitution', 'confirm'], replaced: '400.00' },
    { deeds: ['cancel', 'release'], replaced: '' },
  ]
  const queue = [...fc.sample(chosen, pairs - likely.length), ...likely]
  const seen = { forth: 0, back: 0 }
  const lane = async () => {
    const seats = await allianceTakenOver(service)
    for (let pair = queue.pop(); pair; pair = queue.pop()) {
      const scene = await sceneFor(seats, pair)
      const both = await outcome(scene, await Promise.all(pair.deeds.map((name) => take(scene, name))))
      const [forth, back] = await Promise.all(serialOutcomes(seats, pair))
      if (both !== forth && both !== back) {
        t.fail(`${pair.deeds.join(' and ')}, ${pair.replaced} replaced`, { both, forth, back })
      }
      if (forth !== back && both === forth) seen.forth += 1
      if (forth !== back && both === back) seen.back += 1
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  t.ok(seen.forth > 0 && seen.back > 0, `both orders came about: ${seen.forth} and ${seen.back} times`)
})
