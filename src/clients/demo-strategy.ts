import type { Demo } from './demo-run.ts'

// What the organisations of the demo want to reach, what a crisis does to their partnerships, and from where on a risk is one.

export const objectiveLinks: readonly { partnership: string; objective: string; contribution: number; why: string }[] =
  [
    {
      partnership: 'swim',
      objective: 'lessons',
      contribution: 3,
      why: 'De lessen worden met deze samenwerking betaald.',
    },
    { partnership: 'swim', objective: 'financial-health', contribution: 1, why: 'Meedoen begint ook met zwemmen.' },
    { partnership: 'city-pool', objective: 'every-child-swims', contribution: 2, why: 'Er komt een bad bij.' },
    { partnership: 'food', objective: 'nothing-wasted', contribution: 3, why: 'Elke krat komt van deze winkels.' },
    {
      partnership: 'rivers',
      objective: 'living-rivers',
      contribution: 2,
      why: 'The lorries carry what volunteers find.',
    },
  ]

const disruption = {
  id: 'pools-closed',
  body: {
    title: 'Zwembaden dicht door hoge energieprijzen',
    type: 'economic',
    countries: ['NL'],
    started_on: '2025-03-01',
  },
}

/** What the crisis did to every Dutch charity, assessed at once. */
const assessment = {
  severity: 'high',
  effects: ['income_down', 'activity_impossible'],
  assessed_on: '2025-09-10',
  note: 'De energierekening van alle Nederlandse partners verdubbelt.',
  response: 'step_back',
  response_due_on: '2025-11-01',
  filter: { countries: ['NL'], sectors: ['non_profit'] },
}

/** Who contributes to what. */
export async function linkObjectives(demo: Demo): Promise<void> {
  for (const { partnership, objective, contribution, why } of objectiveLinks) {
    const { body: about } = await demo.client.must('GET', `/v1/partnerships/by-ref/demo/${partnership}`)
    const { body: aim } = await demo.client.must('GET', `/v1/objectives/by-ref/demo/${objective}`)
    const query = `partnership_id=${about.id}&objective_id=${aim.id}`
    const { body: links } = await demo.client.must('GET', `/v1/objective-links?${query}`)
    if (links.data.length > 0) {
      demo.report.found += 1
      continue
    }
    const link = { partnership_id: about.id, objective_id: aim.id, contribution, rationale: why }
    await demo.client.must('POST', '/v1/objective-links', { ...link, assessed_on: '2025-01-01' })
    demo.report.created += 1
  }
}

/** A crisis, what it does to partnerships, and what they do about it. */
export async function strike(demo: Demo): Promise<void> {
  const reply = await demo.put('disruptions', disruption.id, disruption.body)
  if (reply.body.status === 'watch') await demo.step('disruptions', reply, 'activate')
  await demo.put('impacts', 'pools-closed-swim', {
    disruption_ref: { system: 'demo', id: disruption.id },
    partnership_ref: { system: 'demo', id: 'swim' },
    severity: 'medium',
    effects: ['activity_impossible'],
    assessed_on: '2025-03-05',
    response: 'extra_support',
    response_due_on: '2025-04-01',
    responded_on: '2025-03-20',
  })
  const path = `/v1/disruptions/${reply.body.id}/assess-impacts`
  const { body: assessed } = await demo.client.must('POST', path, assessment)
  demo.report.created += assessed.created
  demo.report.found += assessed.matched - assessed.created
  await answerWithPause(demo, assessed.data)
}

/** The one partnership that stands still already answers with its pause. */
async function answerWithPause(demo: Demo, hit: { partnership_id: string; impact_id: string }[]): Promise<void> {
  const { body: food } = await demo.client.must('GET', '/v1/partnerships/by-ref/demo/food')
  const found = hit.find(({ partnership_id }) => partnership_id === food.id)
  if (!found || food.pause === null) return
  const impact = await demo.client.must('GET', `/v1/impacts/${found.impact_id}`)
  if (impact.body.responded_on !== null) return
  const answer = { responded_on: '2025-09-12', response_pause_id: food.pause.id }
  await demo.client.must('PATCH', `/v1/impacts/${found.impact_id}`, answer, impact.etag)
  demo.report.steps += 1
}

/** Small charities wait a little longer before a delivery is called late. */
export async function setThresholds(demo: Demo): Promise<void> {
  const wanted = { late_days: 45 }
  const set = await demo.client.must('GET', '/v1/thresholds')
  if (set.body.late_days === wanted.late_days) return
  await demo.client.must('PATCH', '/v1/thresholds', wanted, set.etag)
  demo.report.steps += 1
}
