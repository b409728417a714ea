import type { Reply } from './client.ts'
import type { DemoRound, readiness } from './demo-portfolio.ts'
import type { Demo } from './demo-run.ts'

interface Item {
  code: string
  dimension: string
  minimum: number | null
  maximum: number | null
  reverse: boolean
}

/** Plans a round of evaluation, and holds it where the plan says what each side finds. */
export async function holdRound(
  demo: Demo,
  partnership: string,
  { id, body, views, remarks, conclusion, cancelled }: DemoRound,
  party: (name: string) => string,
): Promise<void> {
  const partnership_ref = { system: 'demo', id: partnership }
  let round = await demo.put('evaluations', id, { ...body, partnership_ref })
  const { status } = round.body
  if (cancelled && status === 'planned') await demo.step('evaluations', round, 'cancel', { reason: cancelled })
  if (!views) return
  if (status === 'planned') round = await demo.step('evaluations', round, 'open', { invite_all_parties: true })
  const path = `/v1/evaluations/${round.body.id}`
  if (round.body.status === 'open') {
    for (const [organisation, view] of Object.entries(views)) {
      const remark = remarks?.[organisation]
      await answer(demo, path, round, { party_id: party(organisation), view, ...(remark ? { remark } : {}) })
    }
    round = await demo.client.must('GET', path)
  }
  if (round.body.status === 'closed' && conclusion) await demo.step('evaluations', round, 'conclude', conclusion)
}

/** Holds a round in which an organisation judges itself. */
export async function holdReadiness(
  demo: Demo,
  { id, organisation, body, view, conclusion }: typeof readiness,
): Promise<void> {
  const organisation_ref = { system: 'demo', id: organisation }
  let round = await demo.put('evaluations', id, { ...body, organisation_ref })
  if (round.body.status === 'planned') {
    round = await demo.step('evaluations', round, 'open', { invite_all_parties: true })
  }
  const path = `/v1/evaluations/${round.body.id}`
  if (round.body.status === 'open') {
    await answer(demo, path, round, { view })
    round = await demo.client.must('GET', path)
  }
  if (round.body.status === 'closed') await demo.step('evaluations', round, 'conclude', conclusion)
}

async function answer(
  demo: Demo,
  path: string,
  round: Reply,
  { party_id, view, remark }: { party_id?: string; view: Readonly<Record<string, number>>; remark?: string },
): Promise<void> {
  const query = party_id === undefined ? '' : `?party_id=${party_id}`
  const { body: invitations } = await demo.client.must('GET', `${path}/invitations${query}`)
  if (invitations.data[0]?.status !== 'pending') return
  const { body: template } = await demo.client.must('GET', `/v1/evaluation-templates/${round.body.template_code}`)
  const answers = (template.items as Item[]).flatMap((item): object[] => {
    if (item.minimum === null || item.maximum === null) return remark ? [{ item_code: item.code, text: remark }] : []
    const good = view[item.dimension] ?? 0.5
    const level = item.reverse ? 1 - good : good
    return [{ item_code: item.code, score: item.minimum + Math.round((item.maximum - item.minimum) * level) }]
  })
  await demo.client.must('POST', `${path}/responses`, { ...(party_id === undefined ? {} : { party_id }), answers })
  demo.report.created += 1
}
