import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  date,
  duration,
  line,
  nullable,
  prose,
  Ref,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  TextByLanguage,
  uuid,
} from '../../core/schemas.ts'
import { TakenOver, TakenOverWrite } from '../../platform/taken-over.ts'
import { Pause } from '../pauses/schemas.ts'
import { Assent, Manager, ManagerWrite, Party, PartyWrite } from './party-schemas.ts'

export { type Party, partyRoles, sides } from './party-schemas.ts'

export const relationshipTypes = ['philanthropic', 'transactional', 'integrative', 'transformational'] as const
/** The eight stages of ISO 44001. */
export const stages = [
  'operational_awareness',
  'knowledge',
  'internal_assessment',
  'partner_selection',
  'working_together',
  'value_creation',
  'staying_together',
  'exit_strategy',
] as const
export const partnershipStatuses = ['draft', 'proposed', 'declined', 'active', 'paused', 'ending', 'ended'] as const
export type PartnershipStatus = (typeof partnershipStatuses)[number]
export const endReasons = [
  'completed',
  'not_renewed',
  'strategy_changed',
  'disruption',
  'breach',
  'merged',
  'other',
] as const

const text = () => nullable(ref(TextByLanguage))

const Purpose = Type.Object(
  { why: text(), what: text(), how: text() },
  { $id: 'Purpose', description: 'Why the parties work together, what they do and how' },
)

const PurposeWrite = strictObject(
  { why: Type.Optional(text()), what: Type.Optional(text()), how: Type.Optional(text()) },
  { $id: 'PurposeWrite' },
)

export const Partnership = Type.Object(
  {
    ...recordHead,
    name: Type.String(),
    reference: nullable(Type.String()),
    status: codes(partnershipStatuses),
    parties: Type.Array(ref(Party)),
    relationship_type: nullable(codes(relationshipTypes)),
    stage: nullable(codes(stages)),
    purpose: ref(Purpose),
    starts_on: nullable(date()),
    ends_on: nullable(date()),
    signed_on: nullable(date()),
    notice_period: nullable(Type.String()),
    evaluation_interval: Type.String(),
    evaluation_interval_reason: nullable(Type.String()),
    base_currency: Type.String(),
    time_zone: Type.String(),
    crisis_protocol: nullable(Type.String()),
    predecessor_id: nullable(uuid({ description: 'The partnership that this one renews' })),
    sdg_targets: Type.Array(Type.String()),
    managers: Type.Array(ref(Manager)),
    cross_sector_exception: nullable(Type.String()),
    reciprocity_waiver: nullable(Type.String({ description: 'Why it was activated without a promise of each side' })),
    exit_evaluation_waiver: nullable(Type.String({ description: 'Why it was ended without an exit evaluation' })),
    pause: nullable(ref(Pause)),
    end_reason: nullable(codes(endReasons)),
    decline_reason: nullable(Type.String()),
    taken_over: nullable(ref(TakenOver)),
    ...recordTail,
  },
  { $id: 'Partnership' },
)
export type Partnership = Static<typeof Partnership>

const ofTakeOver = 'Only for a record that is taken over: otherwise the steps of its life set it'

/** What a client may write; what is left out takes its default, or becomes null. */
export const PartnershipWrite = strictObject(
  {
    name: line(300, { examples: ['Samen naar school'] }),
    reference: Type.Optional(nullable(line(100))),
    parties: Type.Optional(
      Type.Array(ref(PartyWrite), {
        maxItems: 50,
        default: [],
        description: 'A draft may have fewer than two. Later, organisations may join, and leave by left_on.',
      }),
    ),
    relationship_type: Type.Optional(nullable(codes(relationshipTypes))),
    stage: Type.Optional(nullable(codes(stages, { description: 'A stage of ISO 44001; a label, never enforced' }))),
    purpose: Type.Optional(nullable(ref(PurposeWrite))),
    starts_on: Type.Optional(nullable(date())),
    ends_on: Type.Optional(nullable(date())),
    signed_on: Type.Optional(nullable(date())),
    notice_period: Type.Optional(nullable(duration({ examples: ['P3M'] }))),
    evaluation_interval: Type.Optional(
      duration({ default: 'P6M', description: 'At most P12M, unless evaluation_interval_reason says why' }),
    ),
    evaluation_interval_reason: Type.Optional(nullable(prose(2000))),
    base_currency: Type.Optional(
      Type.String({ pattern: '^[A-Z]{3}$', default: 'EUR', description: 'ISO 4217', examples: ['EUR'] }),
    ),
    time_zone: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 60,
        default: 'Europe/Amsterdam',
        description:
          'IANA, an area and a place such as Europe/Amsterdam, or UTC; decides what day it is today, and nothing else',
      }),
    ),
    crisis_protocol: Type.Optional(nullable(prose())),
    predecessor_id: Type.Optional(nullable(uuid({ description: 'The partnership that this one renews' }))),
    predecessor_ref: Type.Optional(nullable(ref(Ref))),
    sdg_targets: Type.Optional(
      Type.Array(Type.String({ pattern: '^\\d{1,2}\\.(\\d{1,2}|[a-d])$', examples: ['1.a', '17.19'] }), {
        maxItems: 169,
        uniqueItems: true,
        default: [],
        description: 'Targets of the Sustainable Development Goals',
      }),
    ),
    managers: Type.Optional(Type.Array(ref(ManagerWrite), { maxItems: 100, default: [] })),
    cross_sector_exception: Type.Optional(
      nullable(prose(2000, { description: 'Why not both a company and a non-profit take part' })),
    ),
    status: Type.Optional(codes(partnershipStatuses, { description: ofTakeOver })),
    end_reason: Type.Optional(nullable(codes(endReasons, { description: ofTakeOver }))),
    decline_reason: Type.Optional(nullable(prose(2000, { description: ofTakeOver }))),
    taken_over: Type.Optional(nullable(ref(TakenOverWrite))),
    ...recordTailWrite,
  },
  {
    $id: 'PartnershipWrite',
    examples: [
      {
        name: 'Samen naar school',
        parties: [
          { organisation_ref: { system: 'crm', id: '0015g00000A1b2C' }, side: 'company', role: 'lead' },
          { organisation_ref: { system: 'crm', id: '0015g00000D3e4F' }, side: 'non_profit', role: 'partner' },
        ],
        relationship_type: 'integrative',
        purpose: { why: { nl: 'Elk kind leert lezen.', en: 'Every child learns to read.' } },
        starts_on: '2026-03-01',
        evaluation_interval: 'P6M',
        base_currency: 'EUR',
        external_refs: [{ system: 'crm', id: 'a0B5g0000012345' }],
      },
    ],
  },
)
export type PartnershipWrite = Static<typeof PartnershipWrite>

export const PartnershipPatch = patchOf(PartnershipWrite, 'PartnershipPatch')

/** A party as it is kept, but for its assent, which a step records. */
export type PartyState = Omit<Party, 'assent'>

/** The writable members of a partnership, complete and in their one spelling. */
export type PartnershipState = Pick<
  Partnership,
  | 'name'
  | 'reference'
  | 'relationship_type'
  | 'stage'
  | 'purpose'
  | 'starts_on'
  | 'ends_on'
  | 'signed_on'
  | 'notice_period'
  | 'evaluation_interval'
  | 'evaluation_interval_reason'
  | 'base_currency'
  | 'time_zone'
  | 'crisis_protocol'
  | 'predecessor_id'
  | 'sdg_targets'
  | 'managers'
  | 'cross_sector_exception'
  | 'external_refs'
  | 'metadata'
> & { parties: PartyState[] }

export const partnershipSchemas = [
  Assent,
  Party,
  PartyWrite,
  Manager,
  ManagerWrite,
  Purpose,
  PurposeWrite,
  Partnership,
  PartnershipWrite,
  PartnershipPatch,
]
