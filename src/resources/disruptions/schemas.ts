import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  country,
  date,
  line,
  nullable,
  prose,
  recordHead,
  recordTail,
  recordTailWrite,
  strictObject,
} from '../../core/schemas.ts'
import { sectors } from '../organisations/schemas.ts'

export const disruptionTypes = [
  'pandemic',
  'natural_disaster',
  'conflict',
  'economic',
  'regulatory',
  'reputational',
  'organisational',
  'cyber',
  'other',
] as const
export const disruptionStatuses = ['watch', 'active', 'recovering', 'over'] as const
export type DisruptionStatus = (typeof disruptionStatuses)[number]

export const Disruption = Type.Object(
  {
    ...recordHead,
    title: Type.String(),
    description: nullable(Type.String()),
    type: codes(disruptionTypes),
    glide_number: nullable(Type.String()),
    countries: Type.Array(country()),
    sectors: Type.Array(codes(sectors)),
    started_on: date(),
    ended_on: nullable(date({ description: 'The last day of it; null until it is over' })),
    status: codes(disruptionStatuses),
    ...recordTail,
  },
  { $id: 'Disruption', description: 'What shakes partnerships: a pandemic, a flood, a scandal, a change of law' },
)
export type Disruption = Static<typeof Disruption>

/** What a client may write; what is left out takes its default, or becomes null. The steps of its life set the status. */
export const DisruptionWrite = strictObject(
  {
    title: line(300, { examples: ['Hoogwater in Limburg'] }),
    description: Type.Optional(nullable(prose())),
    type: codes(disruptionTypes, { examples: ['natural_disaster'] }),
    glide_number: Type.Optional(
      nullable(
        Type.String({
          pattern: '^[A-Z]{2}-\\d{4}-\\d{6}-[A-Z]{3}$',
          description: 'The number of the disaster in the GLIDE register',
          examples: ['FL-2021-000093-NLD'],
        }),
      ),
    ),
    countries: Type.Optional(Type.Array(country(), { maxItems: 250, uniqueItems: true, default: [] })),
    sectors: Type.Optional(
      Type.Array(codes(sectors), {
        uniqueItems: true,
        default: [],
        description: 'The sectors that it hits; with the countries the first guess of whom to assess',
      }),
    ),
    started_on: date(),
    ...recordTailWrite,
  },
  { $id: 'DisruptionWrite' },
)
export type DisruptionWrite = Static<typeof DisruptionWrite>

export const DisruptionPatch = patchOf(DisruptionWrite, 'DisruptionPatch')

export const DisruptionMove = strictObject(
  {},
  { $id: 'DisruptionMove', description: 'This step needs no more than its address.' },
)

export const DisruptionEnd = strictObject(
  { ended_on: date({ description: 'The last day of the disruption' }) },
  { $id: 'DisruptionEnd' },
)
export type DisruptionEnd = Static<typeof DisruptionEnd>

/** The writable members of a disruption, complete and in their one spelling. */
export type DisruptionState = Omit<Disruption, keyof typeof recordHead | 'status' | 'ended_on'>

export const disruptionSchemas = [Disruption, DisruptionWrite, DisruptionPatch, DisruptionMove, DisruptionEnd]
