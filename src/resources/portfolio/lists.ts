import { sql } from 'kysely'
import { type TObject, type TSchema, Type } from 'typebox'
import { codes, date, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { byText, defineList, type Filter, oneOf } from '../../platform/lists.ts'
import type { View } from '../../platform/resource.ts'
import { MeasureQuery } from '../measures/schemas.ts'
import { objectiveLevels } from '../objectives/schemas.ts'
import { partnershipFilters, partnershipSorts } from '../partnerships/read.ts'
import { partnershipStatuses } from '../partnerships/schemas.ts'
import { chartLanguages } from './chart.ts'
import { inPortfolio } from './facts.ts'
import { importanceOn, isActiveOn } from './judged.ts'
import { measureFilters, portfolioMeasures } from './measures.ts'
import { PortfolioObjective, PortfolioRow } from './schemas.ts'
import { statusOf } from './standing.ts'

/** What is asked of each row, beside which ones: it narrows nothing. */
const question = (schema: TSchema): Filter => ({ schema, where: sql<boolean>`true` })
const asOf = question(date({ description: 'As it was on this day; today when left out' }))

const { organisation_id: _o, predecessor_id: _p, updated_since: _u, ...kept } = partnershipFilters
const { name, starts_on, ends_on, created_at } = partnershipSorts

/** The day that is asked about, by the alias `k`. */
const day = sql`lateral (select ${param('as_of')}::date as t)`

/**
 * Which partnerships are in the portfolio of an organisation: their ids alone; its value is `organisation_id`. What is
 * reckoned of them is read in a second statement, whose plan is the same for any number of them.
 */
export const membersList = defineList({
  name: 'portfolio',
  item: PortfolioRow,
  view: compiler
    .selectFrom('partnerships as r')
    .innerJoin(day.as('k'), (join) => join.onTrue())
    .select('r.id'),
  sorts: { name, starts_on, ends_on, created_at },
  defaultSort: 'name',
  filters: {
    ...kept,
    status: {
      schema: Type.Array(codes(partnershipStatuses), {
        minItems: 1,
        maxItems: 50,
        description: 'States on the day, with commas; active, paused and ending where left out',
      }),
      where: sql<boolean>`true`,
    },
    as_of: asOf,
    basis: question(MeasureQuery.properties.basis),
    currency: question(MeasureQuery.properties.currency),
  },
  within: inPortfolio,
  isUneven: true,
})

const organisation = {
  organisation_id: uuid({ description: 'Whose portfolio it is' }),
  time_zone: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'IANA; what today is where as_of is left out. Europe/Amsterdam when left out',
    }),
  ),
}
const stored = (membersList.query as TObject).properties
const sortNames = ['name', 'starts_on', 'ends_on', 'created_at', ...Object.keys(portfolioMeasures)]

/** How a page of a portfolio is asked for: by what is stored, and by what is reckoned. */
export const PortfolioQuery = Type.Object(
  {
    ...organisation,
    ...stored,
    ...measureFilters,
    sort: codes(
      sortNames.flatMap((sort) => [sort, `-${sort}`]),
      {
        default: 'name',
        description: 'A leading - sorts downwards; what is undefined comes last either way',
      },
    ),
  },
  { additionalProperties: false },
)

const { limit: _l, cursor: _c, sort: _s, include_total: _t, ...narrowing } = stored

/** How a portfolio as a whole is asked for. */
export const WholeQuery = Type.Object({ ...organisation, ...narrowing }, { additionalProperties: false })

/** How a picture of it is asked for. */
export const ChartQuery = Type.Object(
  {
    ...WholeQuery.properties,
    language: Type.Optional(codes(chartLanguages, { description: 'Of the words in the picture; en when left out' })),
  },
  { additionalProperties: false },
)

/** Live partnerships of the organisation with a link that counts on the day, and what they contribute. */
const contributions = sql`(
  select l.contribution from objective_links l
  join partnerships n on n.tenant_id = l.tenant_id and n.id = l.partnership_id
  join partnership_parties p on p.tenant_id = n.tenant_id and p.partnership_id = n.id
    and p.organisation_id = r.organisation_id
    and (p.joined_on is null or p.joined_on <= k.t) and (p.left_on is null or p.left_on > k.t)
  where l.tenant_id = r.tenant_id and l.objective_id = r.id and l.assessed_on <= k.t
    and (l.superseded_on is null or l.superseded_on > k.t) and ${statusOf('n')} in ('active', 'paused', 'ending'))`
const isCovered = sql<boolean>`exists (select from ${contributions} c where c.contribution >= 2)`

const objectivesView: View<unknown> = compiler
  .selectFrom('objectives as r')
  .innerJoin(day.as('k'), (join) => join.onTrue())
  .select([
    'r.id',
    'r.level',
    'r.title',
    'r.parent_id',
    importanceOn(sql`k.t`, 'r').as('importance'),
    'r.active_from',
    'r.active_until',
    sql<number>`(select count(*) from ${contributions} c where c.contribution >= 2)`.as('supporting'),
    sql<number>`(select count(*) from ${contributions} c where c.contribution >= 1)`.as('contributing'),
    sql<number | null>`(select max(c.contribution) from ${contributions} c)`.as('best_contribution'),
    isCovered.as('is_covered'),
  ])

/** The objectives of an organisation that count on a day, and who contributes; its value is `organisation_id`. */
export const objectivesList = defineList({
  name: 'portfolio_objectives',
  item: PortfolioObjective,
  view: objectivesView,
  sorts: { title: byText('sort_title') },
  defaultSort: 'title',
  filters: {
    level: oneOf('level', objectiveLevels),
    is_covered: {
      schema: Type.Boolean({ description: 'False for objectives that no partnership supports' }),
      where: sql`${isCovered} = ${param('is_covered')}::boolean`,
    },
    as_of: asOf,
  },
  within: isActiveOn(sql`k.t`, 'r'),
})

export const ObjectivesQuery = Type.Object(
  { ...organisation, ...(objectivesList.query as TObject).properties },
  { additionalProperties: false },
)
