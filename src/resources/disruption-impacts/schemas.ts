import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  country,
  date,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'
import { sectors } from '../organisations/schemas.ts'

export const severities = ['low', 'medium', 'high', 'critical'] as const
export const effects = [
  'income_down',
  'demand_up',
  'activity_impossible',
  'staff_unavailable',
  'reputation',
  'opportunity',
] as const
export const responses = [
  'none_needed',
  'step_back',
  'pause',
  'substitute',
  'extra_support',
  'renegotiate',
  'end',
] as const
export const evaluationObligations = ['none', 'open', 'met', 'waived'] as const

const effectList = () => Type.Array(codes(effects), { minItems: 1, uniqueItems: true, examples: [['income_down']] })

export const Impact = Type.Object(
  {
    ...recordHead,
    disruption_id: uuid(),
    partnership_id: uuid(),
    hit_party_id: nullable(uuid({ description: 'The party that is hit; null where it is the partnership as a whole' })),
    severity: codes(severities),
    effects: Type.Array(codes(effects)),
    assessed_on: date(),
    note: nullable(Type.String()),
    response: codes(responses, { description: 'What the parties mean to do about it' }),
    response_due_on: nullable(date()),
    responded_on: nullable(date({ description: 'The day on which the response was carried out' })),
    response_pause_id: nullable(uuid()),
    response_commitment_id: nullable(uuid()),
    response_substitution_id: nullable(uuid()),
    response_amendment_id: nullable(uuid()),
    response_evaluation_id: nullable(uuid()),
    evaluation_obligation: codes(evaluationObligations, {
      description: 'A high or critical impact on an active partnership asks for an evaluation, or for a reason why not',
    }),
    evaluation_due_on: nullable(
      date({ description: '30 days after the assessment, where an evaluation is asked for' }),
    ),
    evaluation_waiver: nullable(Type.String()),
    ...recordTail,
  },
  { $id: 'Impact', description: 'What a disruption does to a partnership, and what is done about it' },
)
export type Impact = Static<typeof Impact>

/** What an assessment says, of one partnership or of many at once. */
const assessment = {
  severity: codes(severities, { examples: ['high'] }),
  effects: effectList(),
  assessed_on: Type.Optional(
    nullable(date({ description: 'Today, in the time zone of the partnership, where left out' })),
  ),
  note: Type.Optional(nullable(prose())),
  response: codes(responses, { examples: ['pause'] }),
  response_due_on: Type.Optional(nullable(date({ description: 'Needed unless the response is none_needed' }))),
}

/** What a client may write; what is left out takes its default, or becomes null. */
export const ImpactWrite = strictObject(
  {
    disruption_id: Type.Optional(nullable(uuid())),
    disruption_ref: Type.Optional(nullable(ref(Ref))),
    partnership_id: Type.Optional(nullable(uuid())),
    partnership_ref: Type.Optional(nullable(ref(Ref))),
    hit_party_id: Type.Optional(nullable(uuid())),
    ...assessment,
    responded_on: Type.Optional(nullable(date())),
    response_pause_id: Type.Optional(
      nullable(uuid({ description: 'The pause that carried the response out: pause or step_back' })),
    ),
    response_commitment_id: Type.Optional(
      nullable(
        uuid({
          description: 'The commitment that was added, or takes the place of another: extra_support, substitute',
        }),
      ),
    ),
    response_commitment_ref: Type.Optional(nullable(ref(Ref))),
    response_substitution_id: Type.Optional(
      nullable(uuid({ description: 'The substitution that put one promise in the place of another: substitute' })),
    ),
    response_substitution_ref: Type.Optional(nullable(ref(Ref))),
    response_amendment_id: Type.Optional(
      nullable(uuid({ description: 'The amendment that changed what was agreed: renegotiate, step_back or end' })),
    ),
    response_amendment_ref: Type.Optional(nullable(ref(Ref))),
    response_evaluation_id: Type.Optional(
      nullable(
        uuid({
          description: 'An evaluation of the partnership, beside any response; one that is closed meets the obligation',
        }),
      ),
    ),
    response_evaluation_ref: Type.Optional(nullable(ref(Ref))),
    evaluation_waiver: Type.Optional(nullable(prose(2000, { description: 'Why no evaluation is needed' }))),
    ...recordTailWrite,
  },
  {
    $id: 'ImpactWrite',
    examples: [
      {
        disruption_ref: { system: 'crm', id: 'a0D5g0000067890' },
        partnership_ref: { system: 'crm', id: 'a0B5g0000012345' },
        severity: 'high',
        effects: ['activity_impossible', 'income_down'],
        assessed_on: '2026-03-01',
        response: 'pause',
        response_due_on: '2026-04-01',
      },
    ],
  },
)
export type ImpactWrite = Static<typeof ImpactWrite>

export const ImpactPatch = patchOf(ImpactWrite, 'ImpactPatch')

/** The writable members of an impact, complete and in their one spelling, with what follows from them. */
export type ImpactState = Omit<Impact, keyof typeof recordHead>

const partnershipStates = ['proposed', 'active', 'paused', 'ending'] as const

export const ImpactFilter = strictObject(
  {
    sectors: Type.Optional(Type.Array(codes(sectors), { minItems: 1, uniqueItems: true })),
    countries: Type.Optional(Type.Array(country(), { minItems: 1, maxItems: 250, uniqueItems: true })),
    partnership_statuses: Type.Optional(
      Type.Array(codes(partnershipStates), { minItems: 1, uniqueItems: true, default: ['active', 'paused', 'ending'] }),
    ),
    organisation_id: Type.Optional(uuid({ description: 'Partnerships in which this organisation is a party' })),
    partnership_ids: Type.Optional(Type.Array(uuid(), { minItems: 1, maxItems: 1000, uniqueItems: true })),
  },
  {
    $id: 'ImpactFilter',
    description:
      'Parties that are hit: of these sectors and in these countries, both those of the disruption where left out.',
  },
)
export type ImpactFilter = Static<typeof ImpactFilter>

export const ImpactAssessment = strictObject(
  {
    filter: Type.Optional(ref(ImpactFilter)),
    dry_run: Type.Optional(
      Type.Boolean({ default: false, description: 'Only list whom the filter finds; nothing is written' }),
    ),
    ...assessment,
  },
  { $id: 'ImpactAssessment', description: 'One assessment of many partnerships' },
)
export type ImpactAssessment = Static<typeof ImpactAssessment>

const AssessedParty = Type.Object(
  {
    partnership_id: uuid(),
    partnership_name: Type.String(),
    hit_party_id: uuid(),
    organisation_id: uuid(),
    organisation_name: Type.String(),
    outcome: codes(['would_create', 'created', 'exists'], {
      description: 'exists: this disruption was assessed for this party before; that assessment stays as it is',
    }),
    impact_id: nullable(uuid()),
  },
  { $id: 'AssessedParty' },
)

export const ImpactAssessmentResult = Type.Object(
  {
    dry_run: Type.Boolean(),
    matched: Type.Integer({ minimum: 0 }),
    created: Type.Integer({ minimum: 0 }),
    data: Type.Array(ref(AssessedParty), { description: 'Every party that the filter finds, by partnership name' }),
  },
  { $id: 'ImpactAssessmentResult' },
)
export type ImpactAssessmentResult = Static<typeof ImpactAssessmentResult>

export const impactSchemas = [
  Impact,
  ImpactWrite,
  ImpactPatch,
  ImpactFilter,
  ImpactAssessment,
  AssessedParty,
  ImpactAssessmentResult,
]
