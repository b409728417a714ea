import type { FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { notFound } from '../../core/problem.ts'
import { codes, country, date, ref } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { principalOf } from '../../platform/auth.ts'
import { action, collection, idParams, type SliceOptions } from '../../platform/collection.ts'
import { byInstant, byText, defineList, externalRef, oneOf, searched, updatedSince } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { sectors } from '../organisations/schemas.ts'
import { type ChartLanguage, chartLanguages, disruptionChart, fatesOf } from './chart.ts'
import { createDisruption, deleteDisruption, moveDisruption, reviseDisruption, upsertDisruption } from './commands.ts'
import {
  Disruption,
  DisruptionEnd,
  DisruptionMove,
  DisruptionPatch,
  DisruptionWrite,
  disruptionSchemas,
  disruptionStatuses,
  disruptionTypes,
} from './schemas.ts'
import { disruptionResource } from './view.ts'

const list = defineList({
  name: 'disruptions',
  item: Disruption,
  of: disruptionResource,
  sorts: {
    created_at: byInstant('created_at'),
    updated_at: byInstant('updated_at'),
    title: byText('sort_title'),
    started_on: { key: sql.ref('r.started_on'), type: 'date' },
  },
  defaultSort: 'created_at',
  filters: {
    q: searched('A part of title, description or GLIDE number'),
    status: oneOf('status', disruptionStatuses),
    type: oneOf('type', disruptionTypes),
    country: { schema: country(), where: sql`${param('country')} = any(r.countries)` },
    sector: {
      schema: Type.String({ enum: [...sectors] }),
      where: sql`${param('sector')} = any(r.sectors)`,
    },
    external_ref: externalRef('disruption'),
    updated_since: updatedSince,
  },
})

const tag = 'Disruptions'

/** What shakes partnerships. */
export const disruptions: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of disruptionSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  collection(app, slice, {
    resource: disruptionResource,
    tag,
    one: 'disruption',
    many: 'disruptions',
    scopes: { read: 'disruptions:read', write: 'disruptions:write' },
    wire: Disruption,
    write: DisruptionWrite,
    patch: DisruptionPatch,
    list,
    refusals: ['duplicate', 'rule_violated'],
    commands: {
      create: createDisruption,
      revise: reviseDisruption,
      upsert: upsertDisruption,
      remove: deleteDisruption,
    },
  })
  const step = {
    resource: disruptionResource,
    tag,
    one: 'disruption',
    scope: 'disruptions:write' as const,
    wire: Disruption,
  }
  action(app, slice, {
    ...step,
    verb: 'activate',
    summary: 'Say that a disruption strikes, or strikes again',
    body: ref(DisruptionMove),
    refusals: [],
    command: (tx, id, ifMatch) => moveDisruption(tx, id, ifMatch, 'activate'),
  })
  action(app, slice, {
    ...step,
    verb: 'recover',
    summary: 'Say that the worst of a disruption is past',
    body: ref(DisruptionMove),
    refusals: [],
    command: (tx, id, ifMatch) => moveDisruption(tx, id, ifMatch, 'recover'),
  })
  action(app, slice, {
    ...step,
    verb: 'end',
    summary: 'Say that a disruption is over',
    body: ref(DisruptionEnd),
    refusals: ['rule_violated'],
    command: (tx, id, ifMatch, body) => moveDisruption(tx, id, ifMatch, 'end', body),
  })
  app.get<{ Params: { id: string }; Querystring: { language?: ChartLanguage; as_of?: string } }>(
    '/disruptions/:id/chart.svg',
    operation({
      id: 'get_disruption_chart',
      scope: 'disruptions:read',
      tag,
      summary: 'Draw what became of the commitments that it touched',
      description:
        'Of the partnerships in which it had an impact: the commitments that were agreed when it began (kept, paused, ' +
        'substituted, lapsed, released, cancelled), and those that were given extra since.',
      params: idParams,
      query: Type.Object(
        {
          as_of: Type.Optional(date({ description: 'As it was on this day; as it is now when left out' })),
          language: Type.Optional(
            codes(chartLanguages, { description: 'Of the words in the picture; en when left out' }),
          ),
        },
        { additionalProperties: false },
      ),
      answers: { 200: { description: 'An SVG', schema: Type.String(), mediaType: 'image/svg+xml' } },
      refusals: ['rule_violated'],
    }),
    async (request, reply) => {
      const { as_of, language = 'en' } = request.query
      const fates = await slice.database.read(principalOf(request), (tx) => fatesOf(tx, request.params.id, as_of))
      if (!fates) throw notFound()
      const drawn = disruptionChart(fates, language)
      return reply.type('image/svg+xml; charset=utf-8').send(drawn)
    },
  )
}
