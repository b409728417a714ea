import { type Static, Type } from 'typebox'
import type { Measure as AnyMeasure } from '../../core/measure.ts'
import { frequencies } from '../../core/schedule.ts'
import {
  codes,
  date,
  decimal,
  decimalSum,
  line,
  Money,
  nullable,
  Ref,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'

export const kinds = [
  'cash',
  'goods',
  'pro_bono_services',
  'volunteer_time',
  'facilities',
  'visibility',
  'access',
  'network',
  'knowledge_data',
  'licence',
  'other',
] as const
export const bindings = ['indicative', 'firm'] as const
export const reciprocities = ['in_return', 'unconditional', 'additional'] as const
export const motives = ['charitable_gift', 'community_investment', 'commercial_initiative'] as const
export const units = ['hour', 'day', 'piece', 'ticket', 'event', 'placement', 'impression', 'person'] as const
export const modes = ['in_person', 'online', 'hybrid', 'not_applicable'] as const
export const bases = ['cost_to_giver', 'fair_value', 'agreed', 'nominal'] as const
export const declarers = ['giver', 'receiver', 'independent'] as const

const MoneyMeasure = strictObject(
  {
    type: codes(['money'] as const),
    amount: decimal({ description: 'A decimal string with at most the minor digits of the currency' }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] }),
  },
  { $id: 'MoneyMeasure', description: 'An amount of money' },
)

const QuantityMeasure = strictObject(
  {
    type: codes(['quantity'] as const),
    quantity: decimal({ description: 'A decimal string', examples: ['40'] }),
    unit: codes(units),
  },
  { $id: 'QuantityMeasure', description: 'A number of things' },
)

export const Measure = Type.Unsafe<AnyMeasure<(typeof units)[number]>>({
  $id: 'Measure',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [ref(MoneyMeasure), ref(QuantityMeasure)],
  description: 'What is promised or delivered, as money or as a quantity. The two are never converted.',
})
export type Measure = Static<typeof Measure>

const MoneyMeasureSum = Type.Object(
  {
    type: codes(['money'] as const),
    amount: decimalSum({ description: 'A decimal string with the minor digits of the currency' }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] }),
  },
  { $id: 'MoneyMeasureSum', description: 'What amounts of money come to' },
)

const QuantityMeasureSum = Type.Object(
  {
    type: codes(['quantity'] as const),
    quantity: decimalSum({ description: 'A decimal string', examples: ['40'] }),
    unit: codes(units),
  },
  { $id: 'QuantityMeasureSum', description: 'What numbers of things come to' },
)

export const MeasureSum = Type.Unsafe<Measure>({
  $id: 'MeasureSum',
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [ref(MoneyMeasureSum), ref(QuantityMeasureSum)],
  description: 'What several measures come to: more, it may be, than one of them can be',
})

export const Valuation = strictObject(
  {
    money: ref(Money),
    basis: codes(bases, { description: 'Values on different bases are never added' }),
    declared_by: codes(declarers),
    valued_on: date(),
  },
  { $id: 'Valuation', description: 'What something is worth, on which basis and by whose word' },
)
export type Valuation = Static<typeof Valuation>

const dayOfMonth = Type.Unsafe<number | 'last' | null>({
  anyOf: [{ type: 'integer', minimum: 1, maximum: 31 }, { type: 'string', enum: ['last'] }, { type: 'null' }],
  description: 'Days 29 to 31 fall to the last day of a shorter month',
})

const scheduleBase = { frequency: codes(frequencies), starts_on: date() }
const count = () => Type.Integer({ minimum: 1, maximum: 600, description: 'How many times, in place of ends_on' })

export const Schedule = Type.Object(
  {
    ...scheduleBase,
    interval: Type.Integer({ minimum: 1 }),
    day_of_month: dayOfMonth,
    ends_on: nullable(date()),
    count: nullable(count()),
  },
  { $id: 'Schedule', description: 'When a promise falls due' },
)
export type Schedule = Static<typeof Schedule>

export const ScheduleWrite = strictObject(
  {
    ...scheduleBase,
    interval: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '1 when left out' })),
    day_of_month: Type.Optional(dayOfMonth),
    ends_on: Type.Optional(nullable(date())),
    count: Type.Optional(nullable(count())),
  },
  {
    $id: 'ScheduleWrite',
    description:
      'When a promise falls due. One that repeats needs ends_on or count, for its measure is divided over it.',
  },
)

export const commitmentRef = Type.Unsafe<string | Static<typeof Ref>>({
  anyOf: [uuid({ description: 'Its id' }), ref(Ref)],
  description: 'A commitment of the other side of the same partnership: its id, or your own id of it',
})

/** New terms of a commitment that was agreed: between whom it is stays as it is. */
export const CommitmentTermsPatch = strictObject(
  {
    kind: Type.Optional(codes(kinds)),
    title: Type.Optional(line(300)),
    binding: Type.Optional(codes(bindings)),
    reciprocity: Type.Optional(codes(reciprocities)),
    in_return_for: Type.Optional(Type.Array(commitmentRef, { maxItems: 50, uniqueItems: true })),
    mode: Type.Optional(codes(modes)),
    measure: Type.Optional(ref(Measure)),
    schedule: Type.Optional(nullable(ref(ScheduleWrite))),
  },
  { $id: 'CommitmentTermsPatch', minProperties: 1, description: 'Each term that is given is replaced as a whole' },
)
export type CommitmentTermsPatch = Static<typeof CommitmentTermsPatch>

export const termSchemas = [
  MoneyMeasure,
  QuantityMeasure,
  Measure,
  MoneyMeasureSum,
  QuantityMeasureSum,
  MeasureSum,
  Valuation,
  Schedule,
  ScheduleWrite,
  CommitmentTermsPatch,
]
