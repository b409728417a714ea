import t from 'tap'
import { latestTemplates } from '../src/resources/evaluation-templates/read.ts'
import { type Json, startService } from './support/harness.ts'

const shared = await startService(t)

const built = latestTemplates()

t.test('there are two built-in templates, of their subjects', async (t) => {
  const subjects = built.map(({ code, version, subject }) => [code, version, subject])
  t.strictSame(subjects, [
    ['alliance-readiness', 1, 'organisation'],
    ['partnership-review', 1, 'partnership'],
  ])
})

for (const template of built) {
  const { code, dimensions, items } = template
  const texts = [
    template.title,
    template.introduction as Record<string, string>,
    ...dimensions.map(({ label }) => label),
    ...items.flatMap(({ statement, anchors }) => [statement, ...anchors.map(({ label }) => label)]),
  ]

  t.test(`${code} speaks Dutch and English throughout`, async (t) => {
    for (const text of texts) {
      t.strictSame(Object.keys(text).sort(), ['en', 'nl'])
      for (const words of Object.values(text)) t.match(words, /^\S(.*\S)?$/)
      t.not(text['nl'] === text['en'] && text['nl'] !== 'Impact', true, `${text['nl']} is translated`)
    }
    for (const language of ['nl', 'en']) {
      const statements = items.map(({ statement }) => statement[language])
      t.equal(new Set(statements).size, statements.length, 'nothing is asked twice')
    }
  })

  t.test(`${code} is well made`, async (t) => {
    t.ok(items.length >= 12 && items.length <= 20, `${items.length} items`)
    t.equal(new Set(items.map((item) => item.code)).size, items.length, 'codes of items are unique')
    t.equal(new Set(dimensions.map((dimension) => dimension.code)).size, dimensions.length)
    for (const { code, weight } of dimensions) {
      t.ok(Number.isInteger(weight) && weight > 0, `${code} has a weight`)
      t.ok(items.filter((item) => item.dimension === code && item.scale !== 'text').length >= 2, `${code} has items`)
    }
    const known = new Set(dimensions.map(({ code }) => code))
    for (const { code, dimension } of items) t.ok(known.has(dimension), `the dimension of ${code} is there`)
  })

  t.test(`${code} has items of every kind that it needs`, async (t) => {
    const likert = items.filter(({ scale }) => scale === 'likert5')
    t.ok(likert.length * 2 > items.length, 'mostly agreement in five points')
    t.ok(items.some(({ scale }) => scale === 'anchored5' || scale === 'yes_no'))
    t.ok(items.filter(({ reverse }) => reverse).length >= 2, 'some are reverse')
    t.strictSame(
      items.filter(({ required }) => !required).map(({ scale }) => scale),
      ['text'],
      'what is optional is a text',
    )
    for (const { scale, minimum, maximum, anchors, reverse } of items) {
      if (scale === 'text') t.strictSame([minimum, maximum, anchors, reverse], [null, null, [], false])
      else
        t.strictSame(
          anchors.map(({ score }) => score),
          range(minimum as number, maximum as number),
        )
    }
  })
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at)

t.test('templates are listed and read over HTTP', async (t) => {
  const service = await shared.afresh()
  const all = await service.get('/v1/evaluation-templates')
  t.equal(all.status, 200)
  t.same(all.body, { data: built, next_cursor: null })
  const some = await service.get('/v1/evaluation-templates?subject=partnership')
  t.strictSame(
    some.body.data.map(({ code }: Json) => code),
    ['partnership-review'],
  )

  const latest = await service.get('/v1/evaluation-templates/partnership-review')
  t.equal(latest.status, 200)
  t.equal(latest.etag, '"1"')
  const first = await service.get('/v1/evaluation-templates/partnership-review?version=1')
  t.strictSame(first.body, latest.body)
  const again = await service.get('/v1/evaluation-templates/partnership-review', {
    headers: { 'if-none-match': '"1"' },
  })
  t.equal(again.status, 304)
})

t.test('a template or version that is not there is 404, a version that is no number 400', async (t) => {
  const service = await shared.afresh()
  t.equal((await service.get('/v1/evaluation-templates/other')).status, 404)
  t.equal((await service.get('/v1/evaluation-templates/partnership-review?version=2')).status, 404)
  const faulty = await service.get('/v1/evaluation-templates/partnership-review?version=latest')
  t.equal(faulty.status, 400)
  t.equal(faulty.body.errors[0].pointer, '?version')
  t.equal((await service.get('/v1/evaluation-templates?subject=person')).status, 400)
})

t.test('templates need evaluations:read', async (t) => {
  const service = await shared.afresh()
  const key = await service.keyWith(['evaluations:answer'])
  for (const path of ['', '/partnership-review']) {
    const answer = await service.get(`/v1/evaluation-templates${path}`, { key })
    t.equal(answer.status, 403)
    t.equal(answer.body.scope, 'evaluations:read')
  }
})
