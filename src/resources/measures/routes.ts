import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import type { TSchema } from 'typebox'
import type { FaultCode } from '../../core/fault-codes.ts'
import { minorDigits } from '../../core/money.ts'
import { notFound, Problem } from '../../core/problem.ts'
import { ref } from '../../core/schemas.ts'
import { compiler } from '../../db/prepared.ts'
import { principalOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { defineList, type Filter } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { sendPage } from '../../platform/pages.ts'
import { partnershipFilters, partnershipSorts } from '../partnerships/read.ts'
import { fulfilmentAnswer, measuresAnswer, reciprocityAnswer } from './answers.ts'
import { commitmentAnswer, figuresOfCommitment } from './commitment.ts'
import {
  CommitmentFulfilment,
  DayQuery,
  MeasureQuery,
  measureSchemas,
  PartnershipFulfilment,
  PartnershipMeasures,
  Reciprocity,
  Solidarity,
  SolidarityQuery,
} from './schemas.ts'
import { solidarityAnswer, solidaritySums } from './solidarity.ts'
import { sumsOf } from './view.ts'

/** What is asked of each partnership, beside which ones: it narrows nothing. */
const question = (schema: TSchema): Filter => ({ schema, where: sql<boolean>`true` })

/** Which partnerships a page is about: their ids alone. What is reckoned of them is read in a second statement. */
const many = defineList({
  name: 'partnership_measures',
  item: PartnershipMeasures,
  view: compiler.selectFrom('partnerships as r').select('r.id'),
  sorts: partnershipSorts,
  defaultSort: 'created_at',
  filters: {
    ...partnershipFilters,
    ...Object.fromEntries(Object.entries(MeasureQuery.properties).map(([name, schema]) => [name, question(schema)])),
  },
})

/** What comes of promises: how far they are kept, and how what both sides give compares. */
export const measures: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of [...measureSchemas, many.page]) app.addSchema(schema)
  const register: FastifyPluginAsyncTypebox = async (typed) => {
    ofPartnership(typed, slice, {
      name: 'reciprocity',
      summary: 'Read the balance of what both sides give',
      schema: Reciprocity,
      answer: reciprocityAnswer,
    })
    ofPartnership(typed, slice, {
      name: 'fulfilment',
      summary: 'Read how far what was promised has been delivered',
      schema: PartnershipFulfilment,
      answer: fulfilmentAnswer,
    })
    ofMany(typed, slice)
    solidarity(typed, slice)
    ofCommitment(typed, slice)
  }
  await app.register(register)
}

function ofMany(app: Parameters<FastifyPluginAsyncTypebox>[0], { database, clock }: SliceOptions): void {
  app.get(
    '/partnership-measures',
    operation({
      id: 'list_partnership_measures',
      scope: 'commitments:read',
      tag: 'Measures',
      summary: 'List the measures of many partnerships',
      description: 'The partnerships are filtered, sorted and paged as in their own list.',
      query: many.query,
      answers: {
        200: { description: 'A page', schema: ref(many.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    async (request, reply) => {
      const { as_of, basis, currency } = checkedQuery(request)
      const page = await database.read(principalOf(request), async (tx) => {
        const { bodies, ...rest } = await many.read(tx, request.query)
        const ids = bodies.map((body) => (JSON.parse(body) as { id: string }).id)
        const sums = await sumsOf(tx, ids, { now: clock.now(), as_of, basis, currency })
        // What was there a moment ago may be gone: a draft that was deleted.
        const found = ids.flatMap((id) => sums.get(id) ?? [])
        return { ...rest, bodies: found.map(measuresAnswer) }
      })
      return sendPage(request, reply, page)
    },
  )
}

interface Measured {
  name: string
  summary: string
  schema: TSchema
  answer: (body: string) => string
}

function ofPartnership(
  app: Parameters<FastifyPluginAsyncTypebox>[0],
  { database, clock }: SliceOptions,
  { name, summary, schema, answer }: Measured,
): void {
  app.get(
    `/partnerships/:id/${name}`,
    operation({
      id: `get_partnership_${name}`,
      scope: 'commitments:read',
      tag: 'Measures',
      summary,
      description:
        'As it was known on the day: what was agreed, closed, paused, confirmed and reversed by then. What is undefined ' +
        'is null, never 0.',
      params: idParams,
      query: MeasureQuery,
      answers: { 200: { description: 'The measure', schema: ref(schema) } },
    }),
    async (request, reply) => {
      const { id } = request.params
      const sums = await database.read(principalOf(request), (tx) =>
        sumsOf(tx, [id], { now: clock.now(), ...checkedQuery(request) }),
      )
      const [body] = sums.values()
      if (body === undefined) throw notFound()
      return reply.type('application/json; charset=utf-8').send(answer(body))
    },
  )
}

function solidarity(app: Parameters<FastifyPluginAsyncTypebox>[0], { database, clock }: SliceOptions): void {
  app.get(
    '/partnerships/:id/solidarity',
    operation({
      id: 'get_partnership_solidarity',
      scope: 'commitments:read',
      tag: 'Measures',
      summary: 'Read what each side did for the other in a time of need',
      description:
        'Releases, additional commitments, and deliveries that went on while the return for them was lapsed.',
      params: idParams,
      query: SolidarityQuery,
      answers: { 200: { description: 'The measure', schema: ref(Solidarity) } },
    }),
    async (request, reply) => {
      const { from, to } = request.query
      if (from !== undefined && to !== undefined && to < from)
        throw invalidParameter('to', 'order', 'The last day comes before the first.')
      const sums = await database.read(principalOf(request), (tx) =>
        solidaritySums.run(tx, { ids: [request.params.id], now: clock.now(), ...checkedQuery(request), from, to }),
      )
      if (!sums[0]) throw notFound()
      return reply.send(solidarityAnswer(sums[0].body))
    },
  )
}

function ofCommitment(app: Parameters<FastifyPluginAsyncTypebox>[0], { database, clock }: SliceOptions): void {
  app.get(
    '/commitments/:id/fulfilment',
    operation({
      id: 'get_commitment_fulfilment',
      scope: 'commitments:read',
      tag: 'Measures',
      summary: 'Read how far one commitment has been kept',
      description: 'In its own currency or unit, as it was known on the day.',
      params: idParams,
      query: DayQuery,
      answers: { 200: { description: 'The measure', schema: ref(CommitmentFulfilment) } },
    }),
    async (request, reply) => {
      const asked = { now: clock.now(), as_of: request.query.as_of }
      const body = await database.read(principalOf(request), (tx) => figuresOfCommitment(tx, request.params.id, asked))
      if (body === undefined) throw notFound()
      return reply.send(commitmentAnswer(body))
    },
  )
}

function invalidParameter(name: string, code: FaultCode, detail: string): Problem {
  return new Problem('invalid_request', detail, { errors: [{ pointer: `?${name}`, code, detail }] })
}

/** @throws Problem `invalid_request` for a currency that ISO 4217 does not know */
export function checkedQuery(request: FastifyRequest): MeasureQuery {
  const query = request.query as MeasureQuery
  if (query.currency !== undefined && minorDigits(query.currency) === undefined) {
    throw invalidParameter('currency', 'currency', `${query.currency} is not an ISO 4217 currency code.`)
  }
  return query
}
