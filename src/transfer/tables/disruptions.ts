import { sql } from 'kysely'
import { codes, country, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { effects, evaluationObligations, responses, severities } from '../../resources/disruption-impacts/schemas.ts'
import { disruptionStatuses, disruptionTypes } from '../../resources/disruptions/schemas.ts'
import { sectors } from '../../resources/organisations/schemas.ts'
import {
  amendmentKey,
  codeColumn,
  commitmentKey,
  disruptionKey,
  evaluationKey,
  jsonOf,
  listColumn,
  optional,
  partnershipKey,
  partyKey,
  pauseKey,
  recordColumns,
  refsOf,
  substitutionKey,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { disruptionUnit, impactUnit } from '../touched.ts'

const disruptions = compiler
  .selectFrom('disruptions as r')
  .leftJoin(refsOf('disruption'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** What shakes partnerships. */
export const disruptionsTable = defineTable(disruptions, {
  name: 'disruptions',
  rowName: 'ExportedDisruption',
  grain: 'disruption',
  notes: 'What it did to each partnership is in disruption_impacts.',
  key: ['id'],
  unit: disruptionUnit,
  columns: {
    ...recordColumns('disruption'),
    title: { type: 'text', meaning: 'What it is called' },
    description: { type: 'text', meaning: 'What it is, at length', ...optional },
    type: codeColumn(disruptionTypes, 'What kind of disruption it is'),
    glide_number: {
      type: 'text',
      meaning: 'Its number in the GLIDE register of disasters',
      isIdentifier: true,
      ...optional,
    },
    countries: listColumn(country(), 'The countries that it hits (ISO 3166-1 alpha-2)', jsonOf('r.countries')),
    sectors: listColumn(codes(sectors), 'The sectors that it hits', jsonOf('r.sectors')),
    started_on: { type: 'date', meaning: 'Its first day' },
    ended_on: { type: 'date', meaning: 'Its last day; null until it is over', ...optional },
    status: codeColumn(disruptionStatuses, 'Where it stands'),
    ...tailColumns,
  },
  filters: {
    type: oneOf('type', disruptionTypes),
    status: oneOf('status', disruptionStatuses),
    updated_since: updatedSince,
  },
})

const impacts = compiler
  .selectFrom('disruption_impacts as r')
  .leftJoin(refsOf('impact'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** What disruptions do to partnerships. */
export const disruptionImpactsTable = defineTable(impacts, {
  name: 'disruption_impacts',
  rowName: 'ExportedDisruptionImpact',
  grain: 'impact of a disruption on a partnership, or on one party of it',
  notes: 'A response that is due, and that has no responded_on, is open.',
  key: ['id'],
  unit: impactUnit,
  columns: {
    ...recordColumns('impact'),
    disruption_id: disruptionKey('The disruption'),
    partnership_id: partnershipKey('The partnership that it hits'),
    hit_party_id: partyKey('The party that is hit; null where it is the partnership as a whole', optional),
    severity: codeColumn(severities, 'How bad it is'),
    effects: listColumn(codes(effects), 'What it does', jsonOf('r.effects')),
    assessed_on: { type: 'date', meaning: 'When that was found' },
    note: { type: 'text', meaning: 'What was noted with it', ...optional },
    response: codeColumn(responses, 'What the parties mean to do about it'),
    response_due_on: { type: 'date', meaning: 'By when', ...optional },
    responded_on: { type: 'date', meaning: 'When they did', ...optional },
    response_pause_id: pauseKey('The pause that carried the response out', optional),
    response_commitment_id: commitmentKey('The commitment that carried it out', optional),
    response_substitution_id: substitutionKey('The substitution that carried it out', optional),
    response_amendment_id: amendmentKey('The amendment that carried it out', optional),
    response_evaluation_id: evaluationKey('The evaluation that carried it out', optional),
    evaluation_obligation: codeColumn(
      evaluationObligations,
      'Whether it asks for an evaluation, and whether there was one',
    ),
    evaluation_due_on: { type: 'date', meaning: 'By when the evaluation is due', ...optional },
    evaluation_waiver: { type: 'text', meaning: 'Why none is needed', ...optional },
    ...tailColumns,
  },
  filters: {
    severity: oneOf('severity', severities),
    disruption_id: { schema: uuid(), where: sql`r.disruption_id = ${param('disruption_id')}::uuid` },
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    updated_since: updatedSince,
  },
})
