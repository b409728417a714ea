import { type Static, Type } from 'typebox'
import { instant, nullable, strictObject, uuid } from '../../core/schemas.ts'

interface Bound {
  standard: number
  maximum: number
  description: string
}

/** Every threshold, with what it is where a tenant has set nothing else. Whole numbers: what is compared is exact. */
const bounds = {
  late_days: { standard: 30, maximum: 3650, description: 'What was due more than this many days ago is late' },
  late_percent: { standard: 20, maximum: 100, description: 'More than this share of what is due being late is a risk' },
  dimension_score: { standard: 50, maximum: 100, description: 'A dimension that a side scores below this is a risk' },
  dimension_gap: { standard: 20, maximum: 100, description: 'Sides that are this far apart on a dimension are a risk' },
  evaluation_overdue_days: {
    standard: 90,
    maximum: 3650,
    description: 'An evaluation that is overdue by more days is a risk',
  },
  fit: { standard: 34, maximum: 100, description: 'A strategic fit below this is a risk' },
  ending_days: {
    standard: 90,
    maximum: 3650,
    description: 'An end that comes within so many days, and on which nothing is decided, is a risk',
  },
} as const satisfies Record<string, Bound>

export type ThresholdName = keyof typeof bounds
export type ThresholdValues = Record<ThresholdName, number>

export const thresholdNames = Object.keys(bounds) as ThresholdName[]

const each = <T>(make: (bound: Bound) => T) =>
  Object.fromEntries(Object.entries(bounds).map(([name, bound]) => [name, make(bound)])) as Record<ThresholdName, T>

/** What counts where a tenant has set nothing else. */
export const standardThresholds: Readonly<ThresholdValues> = each(({ standard }) => standard)

const said = ({ standard, maximum, description }: Bound) => ({
  minimum: 0,
  maximum,
  description: `${description}; ${standard} where nothing else is set`,
  examples: [standard],
})

const values = each((bound) => Type.Integer(said(bound)))

export const ThresholdSet = Type.Object(values, {
  $id: 'ThresholdSet',
  description: 'From where on a partnership is at risk, as it was reckoned with here',
})

export const Thresholds = Type.Object(
  {
    id: nullable(uuid({ description: 'Null as long as nothing was set' })),
    version: Type.Integer({ minimum: 0, description: 'Grows by one with each change; the ETag' }),
    updated_at: nullable(instant()),
    ...values,
  },
  { $id: 'Thresholds', description: 'From where on a partnership is at risk: one set for all portfolios of a tenant' },
)
export type Thresholds = Static<typeof Thresholds>

export const ThresholdsPatch = strictObject(
  each((bound) => Type.Optional(nullable(Type.Integer(said(bound))))),
  { $id: 'ThresholdsPatch', minProperties: 1, description: 'A JSON Merge Patch: null goes back to the standard' },
)
export type ThresholdsPatch = Static<typeof ThresholdsPatch>

export const thresholdSchemas = [ThresholdSet, Thresholds, ThresholdsPatch]
