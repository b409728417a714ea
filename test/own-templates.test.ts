import t from 'tap'
import { latestTemplates } from '../src/resources/evaluation-templates/read.ts'
import { type Answer, type Client, type Json, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'
import {
  answersWith,
  conclusion,
  faults,
  openRound,
  ownTemplate,
  partnershipOf,
  plan,
  respond,
  stepRound,
} from './support/rounds.ts'

// The templates of a tenant's own.

const shared = await startService(t)
const base = '/v1/evaluation-templates'

const small = (more: object = {}): Json => ({
  code: 'trust-scan',
  title: { nl: 'Vertrouwen', en: 'Trust' },
  dimensions: [{ code: 'trust', label: { nl: 'Vertrouwen', en: 'Trust' } }],
  items: [{ code: 'open', dimension: 'trust', statement: { nl: 'Wij zijn open.', en: 'We are open.' } }],
  ...more,
})

/** A merge patch, of the version that is there unless another is said. */
const change = async (client: Client, path: string, patch: object, ifMatch = '*'): Promise<Answer> =>
  client.call('PATCH', path, patch, { ifMatch })

const revised = async (client: Client, { id }: Json, patch: object): Promise<Json> => {
  const answer = await change(client, `${base}/${id}`, patch)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body
}

t.test('a template is made complete: what follows from its scales is filled in', async (t) => {
  const service = await shared.afresh()
  const made = await service.call('POST', base, small())
  t.equal(made.status, 201)
  t.equal(made.etag, '"1"')
  t.equal(made.headers['location'], `${base}/${made.body.id}`)
  const { id: _id, created_at, updated_at, items, ...rest } = made.body
  t.equal(created_at, updated_at)
  t.same(rest, {
    version: 1,
    code: 'trust-scan',
    origin: 'own',
    status: 'active',
    title: { nl: 'Vertrouwen', en: 'Trust' },
    introduction: null,
    subject: 'partnership',
    licence: null,
    dimensions: [{ code: 'trust', label: { nl: 'Vertrouwen', en: 'Trust' }, weight: 1 }],
    external_refs: [],
    metadata: {},
  })
  const { anchors, ...item } = items[0]
  t.same(item, {
    code: 'open',
    dimension: 'trust',
    statement: { nl: 'Wij zijn open.', en: 'We are open.' },
    scale: 'likert5',
    minimum: 1,
    maximum: 5,
    reverse: false,
    required: true,
    perspective: 'own',
    predicts: null,
  })
  t.same(anchors[4], { score: 5, label: { nl: 'helemaal eens', en: 'strongly agree' } })
  for (const name of [made.body.id, 'trust-scan']) {
    const read = await service.get(`${base}/${name}`)
    t.same(read.body, made.body)
    t.equal((await service.get(`${base}/${name}`, { headers: { 'if-none-match': read.etag } })).status, 304)
  }
})

t.test('scales speak in the regional form and the own words of a template', async (t) => {
  const service = await shared.afresh()
  const yesNo = { code: 'agreed', dimension: 'trust', statement: { 'nl-BE': 'Is het zo?' }, scale: 'yes_no' }
  const anchored = {
    code: 'how',
    dimension: 'trust',
    statement: { 'nl-BE': 'Hoe?' },
    scale: 'anchored5',
    anchors: [1, 2, 3, 4, 5].map((score) => ({ score, label: { 'nl-BE': `Trap ${score}` } })),
  }
  const words = { code: 'why', dimension: 'trust', statement: { 'nl-BE': 'Waarom?' }, scale: 'text' }
  const dimensions = [{ code: 'trust', label: { 'nl-BE': 'Vertrouwen' } }]
  const { items } = await service.make(
    base,
    small({ title: { 'nl-BE': 'Vertrouwen' }, dimensions, items: [yesNo, anchored, words] }),
  )
  t.same(items[0].anchors, [
    { score: 0, label: { 'nl-BE': 'nee' } },
    { score: 1, label: { 'nl-BE': 'ja' } },
  ])
  t.same(items[1].anchors, anchored.anchors)
  t.same([items[2].minimum, items[2].maximum, items[2].anchors, items[2].required], [null, null, [], false])
})

t.test('a prediction takes scale, direction and words of what it predicts', async (t) => {
  const service = await shared.afresh()
  const statement = { nl: 'Wij zijn gesloten.', en: 'We are closed.' }
  const own = { code: 'closed', dimension: 'trust', statement, scale: 'rag3', reverse: true }
  const other = { code: 'other', dimension: 'trust', statement, perspective: 'predict_other', predicts: 'closed' }
  const { items } = await service.make(base, small({ items: [own, other] }))
  const { code: _a, perspective: _b, predicts, ...predicting } = items[1]
  const { code: _c, perspective: _d, predicts: _e, ...predicted } = items[0]
  t.equal(predicts, 'closed')
  t.same(predicting, predicted)
})

t.test('every fault of a template is named at once, with its place', async (t) => {
  const service = await shared.afresh()
  const said = (nl: string): Json => ({ nl, en: 'x', fr: 'x' })
  const item = (more: object): Json => ({ dimension: 'trust', statement: said('x'), ...more })
  const own = ['oui', 'non'].map((label, score) => ({ score, label: said(label) }))
  const answer = await service.call(
    'POST',
    base,
    small({
      code: '019b76da-a800-7727-bfb7-b65c832949db'.replace(/^0/, 'a'),
      title: said('x'),
      introduction: { nl: 'x', en: 'x', de: 'x' },
      dimensions: [
        { code: 'trust', label: { nl: '  ', en: 'x', fr: 'x' } },
        { code: 'trust', label: said('x') },
        { code: 'unused', label: said('x') },
      ],
      items: [
        item({ code: 'a', scale: 'rag3' }),
        item({ code: 'a', scale: 'yes_no', anchors: [...own].reverse() }),
        item({ code: 'b', scale: 'anchored5' }),
        item({ code: 'c', dimension: 'hope', scale: 'text', reverse: true, anchors: own }),
        item({ code: 'd', scale: 'yes_no', anchors: own, predicts: 'a' }),
        item({ code: 'e', scale: 'yes_no', anchors: own, perspective: 'predict_other' }),
        item({ code: 'f', scale: 'yes_no', anchors: own, perspective: 'predict_other', predicts: 'e' }),
        item({ code: 'g', scale: 'text', perspective: 'predict_other', predicts: 'd' }),
        item({ code: 'h', scale: 'rag3', reverse: true, anchors: own, perspective: 'predict_other', predicts: 'd' }),
      ],
    }),
  )
  isProblem(t, answer, 'rule_violated')
  t.same(faults(answer), [
    '/code looks_like_id',
    '/introduction missing_language',
    '/introduction/de other_language',
    '/dimensions/1/code taken',
    '/items/1/code taken',
    '/dimensions/0/label/nl blank',
    '/dimensions/2/code empty_dimension',
    '/items/0/anchors missing_language',
    '/items/1/anchors points',
    '/items/2/anchors required',
    '/items/3/dimension unknown_dimension',
    '/items/3/reverse not_scored',
    '/items/3/anchors not_scored',
    '/items/4/predicts not_a_prediction',
    '/items/5/predicts required',
    '/items/6/predicts unknown_item',
    '/items/7/scale not_scored',
    '/items/8/scale other_scale',
    '/items/8/reverse other_direction',
    '/items/8/anchors points',
  ])
  t.same((await service.get(`${base}?origin=own`)).body.data, [])
})

t.test('a language is a tag that is one, in its one spelling, and the page speaks one of them', async (t) => {
  const service = await shared.afresh()
  const inLanguages = (...tags: string[]): Json => {
    const text = Object.fromEntries(tags.map((tag) => [tag, 'x']))
    const item = { code: 'a', dimension: 'trust', statement: text, scale: 'text' }
    return small({ title: text, dimensions: [{ code: 'trust', label: text }], items: [item] })
  }
  t.same(faults(await service.call('POST', base, inLanguages('nl', 'nl-be', 'en-12'))), [
    '/title/nl-be language',
    '/title/en-12 language',
  ])
  t.same(faults(await service.call('POST', base, inLanguages('de', 'fr'))), ['/title missing_language'])
  t.equal((await service.call('POST', base, inLanguages('de', 'ar', 'pt-BR', 'en-GB'))).status, 201)
})

t.test('an organisation has no other side to predict', async (t) => {
  const service = await shared.afresh()
  const { items, ...rest } = small({ subject: 'organisation' })
  const prediction = { ...items[0], code: 'other', perspective: 'predict_other', predicts: 'open' }
  const answer = await service.call('POST', base, { ...rest, items: [...items, prediction] })
  isProblem(t, answer, 'rule_violated')
  t.same(faults(answer), ['/items/1/perspective no_other_side'])
})

t.test('what the schema refuses is refused before any rule', async (t) => {
  const service = await shared.afresh()
  const answer = await service.call('POST', base, small({ code: 'Trust Scan', items: [], dimensions: [{ code: 'x' }] }))
  t.equal(answer.status, 400)
  t.same(answer.body.errors.map(({ pointer }: Json) => pointer).sort(), ['/code', '/dimensions/0/label', '/items'])
})

t.test('a code is taken once, and those of the service are taken already', async (t) => {
  const service = await shared.afresh()
  await service.make(base, small())
  for (const code of ['trust-scan', 'partnership-review']) {
    const answer = await service.call('POST', base, small({ code }))
    isProblem(t, answer, 'duplicate')
    t.same(faults(answer), ['/code taken'])
  }
  const neighbour = await service.afresh()
  t.equal((await neighbour.call('POST', base, small())).status, 201, 'of another tenant')
})

t.test('each change is the next version, and every version stays', async (t) => {
  const service = await shared.afresh()
  const first = await service.make(base, small())
  const dimensions = [{ code: 'trust', label: { nl: 'Vertrouwen', en: 'Trust' }, weight: 3 }]
  const second = await revised(service, first, { dimensions, licence: 'CC-BY-4.0', introduction: { nl: 'a', en: 'b' } })
  t.equal(second.version, 2)
  t.same((await service.get(`${base}/trust-scan`)).body, second)
  t.same((await service.get(`${base}/${first.id}?version=1`)).body, first)
  t.equal((await service.get(`${base}/trust-scan?version=3`)).status, 404)
  const same = await change(service, `${base}/${first.id}`, { licence: 'CC-BY-4.0' })
  t.equal(same.etag, '"2"', 'what changes nothing makes no version')
  isProblem(t, await change(service, `${base}/${first.id}`, { licence: null }, '"1"'), 'stale')
  const fixed = await change(service, `${base}/${first.id}`, { code: 'other', subject: 'organisation' })
  t.same(faults(fixed), ['/code fixed', '/subject fixed'])
  const { data } = (await service.get('/v1/events?after=0')).body
  const told = data.filter(({ resource_type }: Json) => resource_type === 'evaluation_template')
  t.same(told.map(({ type, version, changed }: Json) => [type, version, changed]).slice(1), [
    ['evaluation_template.updated', 2, ['introduction', 'licence', 'dimensions']],
  ])
  t.same(told[1].data, second)
})

t.test('a template is written by the client’s own id: the same body again changes nothing', async (t) => {
  const service = await shared.afresh()
  const path = `${base}/by-ref/survey-tool/17`
  const made = await service.call('PUT', path, small())
  t.equal(made.status, 201)
  t.same(made.body.external_refs, [{ system: 'survey-tool', id: '17', url: null }])
  const again = await service.call('PUT', path, small())
  t.equal(again.status, 200)
  t.equal(again.etag, '"1"')
  const changed = await service.call('PUT', path, small({ status: 'retired' }))
  t.same([changed.body.version, changed.body.status], [2, 'retired'])
  t.same((await service.get(path)).body, changed.body)
  const found = await service.call('POST', `${base}/lookup`, { refs: [{ system: 'survey-tool', id: '17' }] })
  t.same(found.body.data, [changed.body])
})

t.test('lists hold the templates of the service too, sorted and filtered as one', async (t) => {
  const service = await shared.afresh()
  await service.make(base, small())
  const other = await service.make(base, small({ code: 'aardvark', title: { nl: 'Éénmalig', en: 'Once' } }))
  await service.make(base, small({ code: 'zeal', subject: 'organisation', external_refs: [{ system: 's', id: '1' }] }))
  const codes = async (query: string): Promise<string[]> =>
    (await service.get(`${base}?${query}`)).body.data.map(({ code }: Json) => code)
  const [aardvark, readiness, review] = ['aardvark', 'alliance-readiness', 'partnership-review']
  t.same(await codes(''), [aardvark, readiness, review, 'trust-scan', 'zeal'])
  t.same(await codes('sort=-code'), ['zeal', 'trust-scan', review, readiness, aardvark])
  t.same(await codes('sort=-created_at&origin=own'), ['zeal', aardvark, 'trust-scan'])
  t.same(await codes('subject=organisation'), [readiness, 'zeal'])
  t.same(await codes('q=eenmalig'), [aardvark])
  t.same(await codes('q=trust&origin=own,built_in'), ['trust-scan', 'zeal'])
  t.same(await codes('external_ref=s:1'), ['zeal'])
  await revised(service, other, { status: 'retired' })
  t.same(await codes('status=retired'), [aardvark])
  t.same(await codes('sort=-updated_at&limit=1'), [aardvark])
  t.same((await codes(`updated_since=2026-02-01T00:00:00Z`)).length, 3)
  const seen: string[] = []
  for (let page = await service.get(`${base}?limit=2&include_total=true`); ; ) {
    t.equal(page.body.total, 5)
    seen.push(...page.body.data.map(({ code }: Json) => code))
    if (page.body.next_cursor === null) break
    page = await service.get(`${base}?limit=2&include_total=true&cursor=${page.body.next_cursor}`)
  }
  t.same(seen, await codes(''))
})

t.test('what is part of the service cannot be changed or deleted', async (t) => {
  const service = await shared.afresh()
  for (const { id, code } of latestTemplates()) {
    t.same((await service.get(`${base}/${id}`)).body, (await service.get(`${base}/${code}`)).body)
    isProblem(t, await change(service, `${base}/${id}`, { status: 'retired' }), 'state_forbids')
    isProblem(t, await service.call('DELETE', `${base}/${id}`, undefined, { ifMatch: '"1"' }), 'state_forbids')
  }
})

t.test('rounds are held on the version that they were opened with', async (t) => {
  const service = await shared.afresh()
  const template = await service.make(base, ownTemplate('our-review'))
  const partnership = await partnershipOf(service)
  const early = await openRound(service, partnership, { template_code: 'our-review' })
  const late = await plan(service, partnership, { template_code: 'our-review' })
  t.equal(late.template_version, 1)
  const [gone, ...items] = template.items
  const left = items.map(({ minimum: _a, maximum: _b, ...item }: Json) => item)
  await revised(service, template, { items: left })
  t.equal((await service.get(`/v1/evaluations/${early.id}`)).body.template_version, 1)
  const opened = await stepRound(service, late, 'open', { invite_all_parties: true })
  t.equal(opened.template_version, 2)
  for (const party of partnership.parties) {
    await respond(service, early, party)
    const answer = await service.call('POST', `/v1/evaluations/${late.id}/responses`, {
      party_id: party.id,
      answers: answersWith(3),
    })
    t.same(faults(answer), ['/answers/0/item_code unknown_item'], 'it asks no longer')
    await respond(service, late, party, answersWith(3).slice(1))
  }
  const [before, after] = await Promise.all(
    [early, late].map(async ({ id }) => (await service.get(`/v1/evaluations/${id}/scores`)).body),
  )
  const items_of = ({ scores }: Json): string[] => scores.map(({ code }: Json) => code)
  t.ok(items_of(before).includes(gone.code))
  t.notOk(items_of(after).includes(gone.code))
  t.notOk(
    after.changes.some(({ code }: Json) => code === gone.dimension),
    'a dimension that asks something else is not compared',
  )
  t.equal((await service.get(`/v1/evaluations?template_code=our-review`)).body.data.length, 2)
  t.same((await service.get(`/v1/evaluations?template_code=partnership-review`)).body.data, [])
})

t.test('no round is planned on a retired template; those that were, go on', async (t) => {
  const service = await shared.afresh()
  const template = await service.make(base, ownTemplate('our-review'))
  const partnership = await partnershipOf(service)
  const round = await plan(service, partnership, { template_code: 'our-review' })
  await revised(service, template, { status: 'retired' })
  const body = { partnership_id: partnership.id, kind: 'periodic', period_from: '2026-01-01', period_to: '2026-06-30' }
  const refused = await service.call('POST', '/v1/evaluations', { ...body, template_code: 'our-review' })
  isProblem(t, refused, 'rule_violated')
  t.same(faults(refused), ['/template_code retired'])
  t.equal((await change(service, `/v1/evaluations/${round.id}`, { title: 'Still ours' })).status, 200)
  const open = await stepRound(service, round, 'open', { invite_all_parties: true })
  for (const party of partnership.parties) await respond(service, open, party)
  t.equal((await stepRound(service, open, 'conclude', conclusion)).status, 'concluded')
})

t.test('a template that no round was planned on is deleted; another is retired', async (t) => {
  const service = await shared.afresh()
  const template = await service.make(base, ownTemplate('our-review'))
  const round = await plan(service, await partnershipOf(service), { template_code: 'our-review' })
  const remove = () => service.call('DELETE', `${base}/${template.id}`, undefined, { ifMatch: '"1"' })
  const refused = await remove()
  isProblem(t, refused, 'in_use')
  t.same(refused.body.dependants, ['evaluations'])
  t.equal((await service.get(`${base}/our-review`)).status, 200)
  await change(service, `/v1/evaluations/${round.id}`, { template_code: 'partnership-review' })
  t.equal((await remove()).status, 204)
  t.equal((await service.get(`${base}/our-review`)).status, 404)
  t.equal((await service.call('POST', base, ownTemplate('our-review'))).status, 201, 'its code is free again')
})

t.test('of a template that is deleted while a round is planned on it, one of the two happens', async (t) => {
  const service = await shared.afresh()
  const partnership = await partnershipOf(service)
  const period = { period_from: '2026-01-01', period_to: '2026-06-30' }
  for (let time = 0; time < 8; time += 1) {
    const { id, code } = await service.make(base, small({ code: `scan-${time}` }))
    const [deleted, planned] = await Promise.all([
      service.call('DELETE', `${base}/${id}`, undefined, { ifMatch: '"1"' }),
      service.call('POST', '/v1/evaluations', {
        partnership_id: partnership.id,
        kind: 'periodic',
        template_code: code,
        ...period,
      }),
    ])
    t.match([deleted.status, planned.status].join(), /^(204,422|409,201)$/)
  }
})

t.test('a partner sees the template of a round of its own, in the version of that round', async (t) => {
  const service = await shared.afresh()
  const template = await service.make(base, ownTemplate('our-review'))
  await service.make(base, small())
  const partnership = await partnershipOf(service)
  const keyOf = async ({ parties }: Json): Promise<string> => {
    const organisation_ids = [parties[0].organisation_id]
    return (await service.make('/v1/api-keys', { name: 'Portal', scopes: ['evaluations:read'], organisation_ids })).key
  }
  const [key, strangers] = [await keyOf(partnership), await keyOf(await partnershipOf(service))]
  await openRound(service, partnership, { template_code: 'our-review' })
  await revised(service, template, { title: { nl: 'Nieuw', en: 'New' } })
  const built = latestTemplates().map(({ code }) => code)
  const seenBy = async (reader: string): Promise<string[]> =>
    (await service.get(base, { key: reader })).body.data.map(({ code }: Json) => code)
  t.same(await seenBy(strangers), built)
  t.same((await seenBy(key)).sort(), [...built, 'our-review'].sort())
  for (const name of ['our-review', template.id]) {
    const seen = await service.get(`${base}/${name}`, { key })
    t.same(seen.body, template, 'the version that it was asked, without what is the tenant’s own')
    t.equal(seen.etag, '"1"')
    t.equal((await service.get(`${base}/${name}?version=2`, { key })).status, 404)
    t.equal((await service.get(`${base}/${name}`, { key: strangers })).status, 404)
  }
})

t.test('writing needs evaluations:write', async (t) => {
  const service = await shared.afresh()
  const key = await service.keyWith(['evaluations:read', 'evaluations:answer'])
  const answer = await service.call('POST', base, small(), { key })
  t.equal(answer.status, 403)
  t.equal(answer.body.scope, 'evaluations:write')
})
