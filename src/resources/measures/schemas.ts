import { type Static, Type } from 'typebox'
import { codes, date, MoneySum, nullable, ref, uuid } from '../../core/schemas.ts'
import { Measure, MeasureSum } from '../commitments/schemas.ts'

export const bases = ['cost_to_giver', 'fair_value', 'agreed', 'nominal'] as const
export const sides = ['company', 'non_profit', 'public', 'other'] as const

const ratio = (description: string) =>
  nullable(Type.String({ pattern: '^-?(0\\.\\d{4}|1\\.0000)$', description, examples: ['0.7500'] }))
const count = (description: string) => Type.Integer({ minimum: 0, description })
const money = (description: string) => Type.Unsafe<Static<typeof MoneySum>>({ ...ref(MoneySum), description })

/** What the answers have in common. */
const head = {
  partnership_id: uuid(),
  as_of: date({ description: 'The day that the answer is about: as it was known on that day' }),
  basis: codes(bases, { description: 'The basis of valuation; values on another are not part of the answer' }),
  currency: Type.String({ description: 'ISO 4217; amounts in another are not part of the answer' }),
}

export const ReciprocitySide = Type.Object(
  {
    side: codes(sides),
    value: money('What it gives, as far as it carries a value'),
    commitments: count('How many of its commitments count'),
    valued: count('How many of those carry a value on this basis and in this currency'),
    coverage: ratio('valued divided by commitments; null where there are none'),
  },
  { $id: 'ReciprocitySide' },
)

export const ReciprocityBalance = Type.Object(
  {
    ratio: ratio(
      '(V_A − V_B) / (V_A + V_B) of the compared sides: 0 in balance, 1 where all comes from the first, −1 where all ' +
        'comes from the second; four digits, cut off',
    ),
    withheld: nullable(
      codes(['one_side_only', 'coverage_below_threshold', 'nothing_given'] as const, {
        description: 'Why there is no ratio',
      }),
    ),
    sides: Type.Array(ref(ReciprocitySide)),
  },
  { $id: 'ReciprocityBalance', description: 'The balance of what both sides give, on one basis and in one currency' },
)

export const ReciprocityVariants = Type.Object(
  { promised: ref(ReciprocityBalance), delivered: ref(ReciprocityBalance) },
  { $id: 'ReciprocityVariants' },
)

export const PerceivedReciprocity = Type.Object(
  {
    evaluation_id: uuid(),
    closed_on: date(),
    sides: Type.Array(
      Type.Object({
        side: codes(sides),
        score: nullable(Type.String({ description: '0 to 100; null where it was withheld', examples: ['62.5'] })),
      }),
    ),
  },
  {
    $id: 'PerceivedReciprocity',
    description: 'What both sides said of the reciprocity in the last round closed by then',
  },
)

const reciprocity = {
  compared: nullable(
    Type.Array(codes(sides), {
      description:
        'The two sides compared, A and B: company and non-profit where both take part; null where it has not two',
    }),
  ),
  promised: ref(ReciprocityBalance),
  delivered: ref(ReciprocityBalance),
  in_return_only: Type.Unsafe<Static<typeof ReciprocityVariants>>({
    ...ref(ReciprocityVariants),
    description: 'Without what is unconditional or additional',
  }),
  perceived: nullable(ref(PerceivedReciprocity)),
  thresholds: Type.Object({
    coverage: Type.String({ description: 'Below this share of valued commitments on either side no ratio is given' }),
  }),
}

export const Reciprocity = Type.Object(
  { ...head, ...reciprocity },
  {
    $id: 'Reciprocity',
    description:
      'What both sides give. Promised: what stands of the promises; of what lapsed, was released, cancelled or ' +
      'substituted, what had been delivered. Delivered: confirmed fulfilments less reversals. Never a ranking.',
  },
)

const told = {
  due: 'What was due by then: not skipped or void, less what was replaced',
  met: 'What was delivered of that',
  overdue: 'What was due before that day and is still to be delivered',
  promised_by: 'What had been promised by then: due, with what lapsed, was released, cancelled or substituted',
  kept: 'What was delivered of that',
}

const figures = {
  rate: ratio('Of what was due by then, what was delivered; null where nothing was due'),
  kept_as_promised: ratio('The same without taking out what lapsed, was released, cancelled or substituted'),
  due: money(told.due),
  met: money(told.met),
  overdue: money(told.overdue),
  promised_by: money(told.promised_by),
  kept: money(told.kept),
  commitments: count('Commitments agreed by then'),
  due_commitments: count('Those of which something had been promised by then'),
  due_valued: count('Those that carry a value on this basis and in this currency: the amounts speak of them alone'),
  coverage: ratio('due_valued divided by due_commitments'),
  undated: count('Open commitments without a due date: they fall due when they come to an end'),
  taken_over_as_fulfilled: count('Those that another system had fulfilled: counted as delivered in full'),
}

export const SideFulfilment = Type.Object({ side: codes(sides), ...figures }, { $id: 'SideFulfilment' })

export const PartnershipFulfilment = Type.Object(
  { ...head, ...figures, sides: Type.Array(ref(SideFulfilment)) },
  { $id: 'PartnershipFulfilment', description: 'How far what was promised by a day has been delivered, in value' },
)

const states = ['agreed', 'paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted'] as const

const measure = (description: string) => Type.Unsafe<Static<typeof Measure>>({ ...ref(Measure), description })

export const CommitmentFulfilment = Type.Object(
  {
    commitment_id: uuid(),
    as_of: head.as_of,
    status: nullable(codes(states, { description: 'On that day; null where it was not agreed by then' })),
    measure: measure('What was promised'),
    skipped: measure('What pauses skipped of it by then'),
    replaced: measure('What substitutions replaced of it by then'),
    delivered: Type.Unsafe<Static<typeof Measure>>({
      ...ref(MeasureSum),
      description: 'Confirmed fulfilments less those that were reversed',
    }),
    outstanding: measure(
      'What is still owed, whenever it is due; nothing once it was released, cancelled or substituted',
    ),
    due: measure(told.due),
    met: measure(told.met),
    overdue: measure(told.overdue),
    promised_by: measure(told.promised_by),
    kept: measure(told.kept),
    rate: figures.rate,
    kept_as_promised: figures.kept_as_promised,
  },
  { $id: 'CommitmentFulfilment', description: 'How far a commitment has been kept, in its own currency or unit' },
)

export const PartnershipMeasures = Type.Object(
  {
    ...head,
    fulfilment: Type.Object({ ...figures, sides: Type.Array(ref(SideFulfilment)) }),
    reciprocity: Type.Object(reciprocity),
  },
  { $id: 'PartnershipMeasures', description: 'The measures of one of many partnerships' },
)

export const SideSolidarity = Type.Object(
  {
    side: codes(sides),
    released: money('What it let go: of commitments that it released as their receiver, what was undelivered'),
    additional: money('What it promised additionally'),
    kept_up: money('What it delivered while what the other side gives in return was lapsed'),
    total: money('All three'),
    gestures: count('Releases, additional commitments and deliveries that count'),
    valued: count('Those that carry a value on this basis and in this currency: the amounts speak of them alone'),
    coverage: ratio('valued divided by gestures; null where there are none'),
  },
  { $id: 'SideSolidarity' },
)

export const Solidarity = Type.Object(
  {
    ...head,
    from: date({ description: 'The first day of the time of need' }),
    to: date({
      description: 'Its last day, no later than as_of; where that comes before from, nothing counts and all is 0',
    }),
    sides: Type.Array(ref(SideSolidarity)),
  },
  { $id: 'Solidarity', description: 'What each side did for the other in a time of need' },
)

const dayQuery = Type.Optional(
  date({ description: 'As it was known on this day; today in the time zone of the partnership when left out' }),
)

/** How measures are asked for. */
export const valueQuery = {
  basis: Type.Optional(codes(bases, { description: 'fair_value when left out. Money counts at its amount on any.' })),
  currency: Type.Optional(
    Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217; the base currency of the partnership when left out' }),
  ),
}

export const MeasureQuery = Type.Object({ as_of: dayQuery, ...valueQuery }, { additionalProperties: false })
export type MeasureQuery = Static<typeof MeasureQuery>

export const DayQuery = Type.Object({ as_of: dayQuery }, { additionalProperties: false })

export const SolidarityQuery = Type.Object(
  {
    from: Type.Optional(
      date({ description: 'The first day of the time of need; the start of the partnership when left out' }),
    ),
    to: Type.Optional(date({ description: 'Its last day; the day that the answer is about when left out' })),
    as_of: dayQuery,
    ...valueQuery,
  },
  { additionalProperties: false },
)
export type SolidarityQuery = Static<typeof SolidarityQuery>

export const measureSchemas = [
  SideSolidarity,
  Solidarity,
  ReciprocitySide,
  ReciprocityBalance,
  ReciprocityVariants,
  PerceivedReciprocity,
  Reciprocity,
  SideFulfilment,
  PartnershipFulfilment,
  CommitmentFulfilment,
  PartnershipMeasures,
]
