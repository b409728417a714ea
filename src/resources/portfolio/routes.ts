import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../core/clock.ts'
import { dateIn, isTimeZone } from '../../core/dates.ts'
import { minorDigits } from '../../core/money.ts'
import { Faults } from '../../core/problem.ts'
import { ref } from '../../core/schemas.ts'
import { principalOf } from '../../platform/auth.ts'
import type { SliceOptions } from '../../platform/collection.ts'
import { operation, sentOn } from '../../platform/operation.ts'
import { sendPage } from '../../platform/pages.ts'
import { requireOrganisation } from '../organisations/read.ts'
import { type ChartLanguage, portfolioChart } from './chart.ts'
import { ChartQuery, ObjectivesQuery, objectivesList, PortfolioQuery, WholeQuery } from './lists.ts'
import { type Asked, comparesAmounts } from './measures.ts'
import { readPortfolioPage } from './page.ts'
import { requireRecorded } from './record-start.ts'
import { PortfolioPage, PortfolioSummary, portfolioSchemas } from './schemas.ts'
import { summaryOf } from './summary.ts'
import { wholePortfolio } from './whole.ts'

const tag = 'Portfolio'
const scope = 'portfolio:read'

type PortfolioAsked = Asked & { organisation_id: string; as_of?: string; currency?: string; time_zone?: string }

/** The partnerships of an organisation side by side: what they give and contribute, and which of them are at risk. */
export const portfolio: FastifyPluginAsync<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of portfolioSchemas) app.addSchema(schema)
  app.addSchema(objectivesList.page)

  app.get(
    '/portfolio',
    operation({
      id: 'list_portfolio',
      scope,
      tag,
      summary: 'List the partnerships of an organisation with their measures',
      description:
        'As it was on a day: those in which the organisation took part then, active, paused or ending unless status ' +
        'says otherwise. What is undefined is null, never 0. Filters and sorts by a measure reckon the whole portfolio, ' +
        'of at most 20,000 partnerships; those by what is stored reckon the page alone.',
      query: PortfolioQuery,
      answers: {
        200: { description: 'A page', schema: ref(PortfolioPage), headers: { Link: 'The next page, as rel="next"' } },
        ...sentOn,
      },
      refusals: ['not_found', 'rule_violated'],
    }),
    async (request, reply) => {
      const { asked, today } = checked(request, clock)
      const { page, thresholds } = await database.moment(principalOf(request), async (tx) => {
        await requireRecorded(tx, asked.as_of)
        return readPortfolioPage(tx, asked, today)
      })
      const as_of = JSON.stringify(asked.as_of ?? today)
      return sendPage(request, reply, page, { as_of, thresholds: JSON.stringify(thresholds) })
    },
  )

  app.get(
    '/portfolio/summary',
    operation({
      id: 'get_portfolio_summary',
      scope,
      tag,
      summary: 'Sum up the portfolio of an organisation',
      description:
        'How many partnerships there are and which of them are at risk, with sums in each currency by itself.',
      query: WholeQuery,
      answers: { 200: { description: 'The portfolio in sum', schema: ref(PortfolioSummary) }, ...sentOn },
      refusals: ['not_found', 'rule_violated'],
    }),
    async (request) => {
      const { asked, today } = checked(request, clock)
      const { organisation_id, ...question } = asked
      const { rows, thresholds } = await database.moment(principalOf(request), async (tx) => {
        await requireRecorded(tx, asked.as_of)
        return wholePortfolio(tx, { ...question, sort: 'name', include_total: false }, { organisation_id }, today)
      })
      return summaryOf(rows, { organisation_id, as_of: asked.as_of ?? today }, thresholds)
    },
  )

  app.get(
    '/portfolio/chart.svg',
    operation({
      id: 'get_portfolio_chart',
      scope,
      tag,
      summary: 'Draw the portfolio of an organisation',
      description:
        'Strategic fit against the score of the relationship, as large as what is outstanding; what is paused or at risk ' +
        'is marked. Legible in black and white, in the light and in the dark; a text tells the same.',
      query: ChartQuery,
      answers: { 200: { description: 'An SVG', schema: Type.String(), mediaType: 'image/svg+xml' }, ...sentOn },
      refusals: ['not_found', 'rule_violated'],
    }),
    async (request, reply) => {
      const { asked, today } = checked(request, clock)
      const { organisation_id, language = 'en', ...question } = asked as PortfolioAsked & { language?: ChartLanguage }
      const { rows, thresholds } = await database.moment(principalOf(request), async (tx) => {
        await requireRecorded(tx, asked.as_of)
        return wholePortfolio(tx, { ...question, sort: 'name', include_total: false }, { organisation_id }, today)
      })
      const about = { as_of: asked.as_of ?? today, language, thresholds }
      const drawn = portfolioChart(
        rows.map(({ row }) => row),
        about,
      )
      return reply.type('image/svg+xml; charset=utf-8').send(drawn)
    },
  )

  app.get(
    '/portfolio/objectives',
    operation({
      id: 'list_portfolio_objectives',
      scope,
      tag,
      summary: 'List the objectives of an organisation with the partnerships that contribute to them',
      description: 'Those that count on the day; with is_covered=false those that no partnership supports.',
      query: ObjectivesQuery,
      answers: {
        200: {
          description: 'A page',
          schema: ref(objectivesList.page),
          headers: { Link: 'The next page, as rel="next"' },
        },
        ...sentOn,
      },
      refusals: ['not_found', 'rule_violated'],
    }),
    async (request, reply) => {
      const { asked, today } = checked(request, clock)
      const { organisation_id, ...question } = asked
      const page = await database.moment(principalOf(request), async (tx) => {
        await requireOrganisation(tx, organisation_id)
        await requireRecorded(tx, asked.as_of)
        return objectivesList.read(tx, question, { organisation_id }, { as_of: today })
      })
      return sendPage(request, reply, page)
    },
  )
}

/** The query, with what its schema cannot say, and the day that it is. @throws Problem `invalid_request` that names every fault */
function checked(request: FastifyRequest, clock: Clock): { asked: PortfolioAsked; today: string } {
  const { time_zone = 'Europe/Amsterdam', ...asked } = request.query as PortfolioAsked
  const faults = new Faults()
  if (!isTimeZone(time_zone))
    faults.add(
      '?time_zone',
      'time_zone',
      `${time_zone} is no time zone of the IANA database: name one by its area and place, such as Europe/Amsterdam, or UTC.`,
    )
  if (asked.currency !== undefined && minorDigits(asked.currency) === undefined) {
    faults.add('?currency', 'currency', `${asked.currency} is not an ISO 4217 currency code.`)
  }
  if (asked.currency === undefined && comparesAmounts(asked)) {
    faults.add('?currency', 'required', 'Say in which currency: amounts in different ones are not compared.')
  }
  faults.refuse('invalid_request')
  return { asked, today: dateIn(time_zone, clock.now()) }
}
