import { sql } from 'kysely'
import { Type } from 'typebox'
import { ref, TextByLanguage, uuid } from '../../core/schemas.ts'
import { compiler, param, tenantParam } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import {
  endReasons,
  partnershipStatuses,
  partyRoles,
  relationshipTypes,
  sides,
  stages,
} from '../../resources/partnerships/schemas.ts'
import {
  codeColumn,
  jsonOf,
  listColumn,
  optional,
  organisationKey,
  partnershipKey,
  partyKey,
  recordColumns,
  refsOf,
  tailColumns,
  takenOverColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { partnershipUnit, seatsUnit, within } from '../touched.ts'

const source = compiler
  .selectFrom('partnerships as r')
  .leftJoin(refsOf('partnership'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))
  .leftJoin(
    sql<{ partnership_id: string; list: unknown }>`(
      select m.partnership_id,
        json_agg(json_build_object('party_id', m.party_id, 'contact_id', m.contact_id) order by m.position) as list
      from partnership_managers m where m.tenant_id = ${tenantParam} group by m.partnership_id)`.as('managers'),
    (join) => join.onRef('managers.partnership_id', '=', 'r.id'),
  )

const purpose = (part: 'why' | 'what' | 'how', meaning: string) =>
  ({
    type: 'json',
    schema: ref(TextByLanguage),
    meaning,
    ...optional,
    value: sql`r.purpose -> ${sql.lit(part)}`,
  }) as const

/** The state of an activity as IATI has it (codelist ActivityStatus); a pause is its suspension. */
const iatiStatus = sql`case r.status when 'draft' then '1' when 'proposed' then '1' when 'active' then '2'
  when 'ending' then '3' when 'ended' then '4' when 'declined' then '5' when 'paused' then '6' end`

/** The alliances. */
export const partnershipsTable = defineTable(source, {
  name: 'partnerships',
  rowName: 'ExportedPartnership',
  grain: 'partnership',
  notes: 'Its parties are in partnership_parties, what it went through in partnership_status_history and pauses.',
  key: ['id'],
  unit: partnershipUnit,
  columns: {
    ...recordColumns('partnership'),
    name: { type: 'text', meaning: 'What it is called' },
    reference: { type: 'text', meaning: 'Its number with the parties', isIdentifier: true, ...optional },
    status: codeColumn(partnershipStatuses, 'Where it stands'),
    iati_activity_status: codeColumn(
      ['1', '2', '3', '4', '5', '6'],
      'The same in the codelist ActivityStatus of IATI: 1 pipeline, 2 implementation, 3 finalisation, 4 closed, 5 cancelled, 6 suspended',
      { value: iatiStatus },
    ),
    relationship_type: codeColumn(relationshipTypes, 'Where it is on the collaboration continuum', optional),
    stage: codeColumn(stages, 'Its stage after ISO 44001; a label', optional),
    purpose_why: purpose('why', 'Why the parties work together, by language'),
    purpose_what: purpose('what', 'What they do, by language'),
    purpose_how: purpose('how', 'How they do it, by language'),
    starts_on: { type: 'date', meaning: 'Its first day', ...optional },
    ends_on: { type: 'date', meaning: 'Its last day', ...optional },
    signed_on: { type: 'date', meaning: 'When it was signed', ...optional },
    notice_period: {
      type: 'text',
      meaning: 'How long before its end notice is given (ISO 8601 duration)',
      ...optional,
    },
    evaluation_interval: { type: 'text', meaning: 'How often it is evaluated (ISO 8601 duration)' },
    evaluation_interval_reason: { type: 'text', meaning: 'Why that is longer than a year', ...optional },
    base_currency: { type: 'text', meaning: 'ISO 4217' },
    time_zone: { type: 'text', meaning: 'IANA; decides what day it is there' },
    crisis_protocol: { type: 'text', meaning: 'What the parties agreed to do in a crisis', ...optional },
    predecessor_id: partnershipKey('The partnership that it renews', optional),
    sdg_targets: listColumn(Type.String(), 'Targets of the Sustainable Development Goals', jsonOf('r.sdg_targets')),
    cross_sector_exception: { type: 'text', meaning: 'Why not both a company and a non-profit take part', ...optional },
    reciprocity_waiver: { type: 'text', meaning: 'Why it was activated without a promise of each side', ...optional },
    exit_evaluation_waiver: { type: 'text', meaning: 'Why it was ended without an exit evaluation', ...optional },
    end_reason: codeColumn(endReasons, 'Why it ends', optional),
    decline_reason: { type: 'text', meaning: 'Why it was declined', ...optional },
    ...takenOverColumns,
    managers: listColumn(
      Type.Object({ party_id: uuid(), contact_id: uuid() }),
      'Who looks after it for which party: ids of contacts alone',
      sql`coalesce(managers.list, '[]'::json)`,
    ),
    ...tailColumns,
  },
  filters: {
    status: oneOf('status', partnershipStatuses),
    relationship_type: oneOf('relationship_type', relationshipTypes),
    updated_since: updatedSince,
  },
})

const ofPartnership = {
  partnership_id: { schema: uuid(), where: sql<boolean>`r.partnership_id = ${param('partnership_id')}::uuid` },
}

/** Who takes part in what. */
export const partnershipPartiesTable = defineTable(compiler.selectFrom('partnership_parties as r'), {
  name: 'partnership_parties',
  rowName: 'ExportedPartnershipParty',
  grain: 'seat of an organisation in a partnership',
  notes: 'Commitments, pauses and impacts point at seats: join them here to find the organisation.',
  key: ['id'],
  unit: seatsUnit,
  columns: {
    id: { type: 'uuid', meaning: 'The seat' },
    partnership_id: partnershipKey('The partnership'),
    organisation_id: organisationKey('The organisation that has the seat'),
    side: codeColumn(sides, 'The side on which it sits'),
    role: codeColumn(partyRoles, 'The part that it plays'),
    joined_on: { type: 'date', meaning: 'When it joined, where that was not at the beginning', ...optional },
    left_on: { type: 'date', meaning: 'Its last day, which may be one to come; null where none is set', ...optional },
    assented_on: { type: 'date', meaning: 'When it assented to the proposal in hand', ...optional },
    assent_recorded_by_party_id: partyKey('The party that recorded the assent on its behalf', optional),
    assent_note: { type: 'text', meaning: 'What was noted with the assent', ...optional },
    position: { type: 'integer', meaning: 'The order among the seats of the partnership' },
  },
  filters: ofPartnership,
})

const history = compiler.selectFrom('status_changes as r').where('r.resource_type', '=', sql.lit('partnership'))

/** What state a partnership was in since when. */
export const partnershipStatusHistoryTable = defineTable(history, {
  name: 'partnership_status_history',
  rowName: 'ExportedPartnershipStatusChange',
  grain: 'change of the state of a partnership',
  notes:
    'To find the state on a day, take of each partnership the last row by changed_on, then version, that is not later. ' +
    'A party may have left its draft since, so decided_by_party_id is no key.',
  key: ['id'],
  unit: within('partnership_id', partnershipUnit),
  columns: {
    id: { type: 'uuid', meaning: 'The entry' },
    partnership_id: partnershipKey('The partnership', { value: sql.ref('r.resource_id') }),
    version: { type: 'integer', meaning: 'The version of the partnership after the change' },
    from_status: codeColumn(partnershipStatuses, 'The state before; null where it began', optional),
    to_status: codeColumn(partnershipStatuses, 'The state after'),
    changed_on: { type: 'date', meaning: 'The day from which the state counts' },
    changed_at: { type: 'instant', meaning: 'When it was recorded here' },
    decided_by_party_id: { type: 'uuid', meaning: 'The party whose decision it was', ...optional },
    reason: { type: 'text', meaning: 'Why', ...optional },
  },
  filters: {
    partnership_id: { schema: uuid(), where: sql<boolean>`r.resource_id = ${param('partnership_id')}::uuid` },
  },
})
