import { readFile } from 'node:fs/promises'
import t from 'tap'
import { faultCodes } from '../src/core/fault-codes.ts'
import { problems } from '../src/core/problem.ts'
import { problemsPage } from '../src/platform/problems-page.ts'
import { contract } from './support/contract.ts'
import { type Json, startService } from './support/harness.ts'
import { isProblem } from './support/problem.ts'

const service = await startService(t)
const { schemas } = service.document.components

t.test('the codes of faults and of problems are listed, and clients are told that more may come', async (t) => {
  const { code, errors } = schemas.Problem.properties
  t.match(errors.items.properties.code, { $ref: '#/components/schemas/FaultCode' })
  t.same(schemas.FaultCode['x-extensible-enum'], Object.keys(faultCodes))
  t.same(schemas.FaultCode['x-enum-descriptions'], Object.values(faultCodes))
  t.same(code['x-extensible-enum'], Object.keys(problems))
  for (const listed of [schemas.FaultCode, code, schemas.RowFault.properties.code]) {
    t.match(listed, { type: 'string', description: /[Mm]ore may come/ })
    t.notOk(listed.enum, 'a generated client takes others')
  }
  for (const [name, says] of Object.entries(faultCodes)) t.match(says, /^[A-Z].*\.$/, name)
})

t.test('the guide lists them with what they mean', async (t) => {
  const page = await readFile(new URL('../docs/problems.md', import.meta.url), 'utf8')
  t.equal(page, problemsPage())
  for (const name of ['invalid_request', 'required', 'terms_changed']) t.match(page, `| \`${name}\` `)
})

/** What a schema can ask of a value, and so find missing. */
const asking = new Set(
  (
    'type enum const pattern format minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
    'minItems maxItems uniqueItems contains minContains minProperties maxProperties propertyNames required dependentRequired ' +
    'anyOf oneOf not if discriminator'
  ).split(' '),
)

t.test('whatever the contract asks of a request has a code of its own', async (t) => {
  const asked = new Set<string>()
  const reached = new Set<string>()
  const gather = (schema: Json): void => {
    if (typeof schema !== 'object' || schema === null) return
    const name = schema.$ref?.split('/').at(-1)
    if (name !== undefined && !reached.has(name)) {
      reached.add(name)
      gather(schemas[name])
    }
    for (const [keyword, value] of Object.entries<Json>(schema)) {
      if (asking.has(keyword)) asked.add(keyword)
      if (keyword === 'properties') Object.values(value).forEach(gather)
      else if (!['examples', 'enum', 'required', 'mapping'].includes(keyword)) gather(value)
    }
  }
  for (const methods of Object.values<Json>(service.document.paths)) {
    for (const { parameters = [], requestBody } of Object.values<Json>(methods)) {
      for (const { schema } of parameters) gather(schema)
      for (const { schema } of Object.values<Json>(requestBody?.content ?? {})) gather(schema)
    }
  }
  t.ok(asked.size > 12)
  t.same(
    [...asked]
      .map((keyword) => keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
      .filter((code) => !(code in faultCodes)),
    [],
  )
})

t.test('an answer with a code that is not listed fails the test that gets it', async (t) => {
  const answer = await service.call('POST', '/v1/organisations', { sector: 'company' })
  isProblem(t, answer, 'invalid_request')
  t.match(answer.body.errors, [{ pointer: '/name', code: 'required' }])
  const { check } = contract()
  check('POST', '/v1/organisations', answer)
  const [fault] = answer.body.errors
  const other = (change: Json) => ({ ...answer, body: { ...answer.body, ...change } })
  t.throws(
    () => check('POST', '/v1/organisations', other({ errors: [{ ...fault, code: 'made_up' }] })),
    /errors\/0\/code/,
  )
  t.throws(() => check('POST', '/v1/organisations', other({ code: 'made_up' })), /\/code/)
})
