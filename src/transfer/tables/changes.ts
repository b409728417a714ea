import { sql } from 'kysely'
import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { amendmentCauses, amendmentStatuses } from '../../resources/amendments/lifecycle.ts'
import { bases, units } from '../../resources/commitments/term-schemas.ts'
import { substitutionStatuses } from '../../resources/substitutions/lifecycle.ts'
import {
  codeColumn,
  commitmentKey,
  disruptionKey,
  evaluationDecisionKey,
  evaluationKey,
  listColumn,
  optional,
  partnershipKey,
  partyKey,
  recordColumns,
  refsOf,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { amendmentUnit, substitutionUnit } from '../touched.ts'

// How promises change: one in the place of another, or the terms of what was agreed.

const ofPartnership = {
  schema: uuid(),
  where: sql<boolean>`r.partnership_id = ${param('partnership_id')}::uuid`,
}

const substitutions = compiler
  .selectFrom('substitutions as r')
  .leftJoin(refsOf('substitution'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** One promise in the place of another. */
export const substitutionsTable = defineTable(substitutions, {
  name: 'substitutions',
  rowName: 'ExportedSubstitution',
  grain: 'substitution of a commitment, or of a part of it, by another',
  notes: 'Only those that were accepted changed anything.',
  key: ['id'],
  unit: substitutionUnit,
  columns: {
    ...recordColumns('substitution'),
    partnership_id: partnershipKey('The partnership'),
    replaces_commitment_id: commitmentKey('The commitment that is replaced'),
    by_commitment_id: commitmentKey('The commitment that takes its place'),
    amount: {
      type: 'decimal',
      unit: 'of currency',
      meaning: 'What is replaced, in money; null for a quantity',
      ...optional,
    },
    currency: { type: 'text', meaning: 'ISO 4217; null for a quantity', ...optional },
    quantity: {
      type: 'decimal',
      unit: 'of unit',
      meaning: 'What is replaced, counted; null for money',
      ...optional,
      value: sql`trim_scale(r.quantity)`,
    },
    unit: codeColumn(units, 'What is counted; null for money', optional),
    instalment_seq: { type: 'integer', meaning: 'The instalment that it takes; null for in order', ...optional },
    reason: { type: 'text', meaning: 'Why' },
    disruption_id: disruptionKey('The disruption that it answers', optional),
    value_difference_amount: {
      type: 'decimal',
      unit: 'of value_difference_currency',
      isSigned: true,
      meaning: 'What the new promise is worth more than the part that it replaces, as the parties see it',
      ...optional,
      value: sql`(r.value_difference ->> 'amount')::numeric`,
    },
    value_difference_currency: {
      type: 'text',
      meaning: 'ISO 4217',
      ...optional,
      value: sql`r.value_difference ->> 'currency'`,
    },
    value_difference_basis: codeColumn(bases, 'On which basis', {
      ...optional,
      value: sql`r.value_difference ->> 'basis'`,
    }),
    status: codeColumn(substitutionStatuses, 'Where it stands'),
    proposed_by_party_id: partyKey('The party that proposed it'),
    proposed_on: { type: 'date', meaning: 'When' },
    decided_by_party_id: partyKey('The party that decided on it', optional),
    decided_on: { type: 'date', meaning: 'When', ...optional },
    decision_note: { type: 'text', meaning: 'What was noted with that', ...optional },
    ...tailColumns,
  },
  filters: {
    status: oneOf('status', substitutionStatuses),
    partnership_id: ofPartnership,
    updated_since: updatedSince,
  },
})

const amendments = compiler
  .selectFrom('amendments as r')
  .leftJoin(refsOf('amendment'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

const member = { resource_type: Type.String(), resource_id: uuid(), member: Type.String() }

/** Changes of what was agreed. */
export const amendmentsTable = defineTable(amendments, {
  name: 'amendments',
  rowName: 'ExportedAmendment',
  grain: 'amendment of the terms of a partnership and its commitments',
  notes: 'Only those that were accepted changed anything. Each term that changes is an entry of diff.',
  key: ['id'],
  unit: amendmentUnit,
  columns: {
    ...recordColumns('amendment'),
    partnership_id: partnershipKey('The partnership'),
    effective_on: { type: 'date', meaning: 'From this day on the new terms count' },
    cause: codeColumn(amendmentCauses, 'What gave rise to it'),
    evaluation_id: evaluationKey('The evaluation that gave rise to it', optional),
    decision_id: evaluationDecisionKey('The decision of that evaluation which it carries out', optional),
    disruption_id: disruptionKey('The disruption that gave rise to it', optional),
    note: { type: 'text', meaning: 'What was noted with it', ...optional },
    diff: listColumn(
      Type.Object({ ...member, before: Type.Unknown(), after: Type.Unknown() }),
      'Each term that changes, before and after',
    ),
    status: codeColumn(amendmentStatuses, 'Where it stands'),
    proposed_by_party_id: partyKey('The party that proposed it'),
    proposed_on: { type: 'date', meaning: 'When' },
    decided_by_party_id: { type: 'uuid', meaning: 'The party whose decision ended it', ...optional },
    decided_on: { type: 'date', meaning: 'When', ...optional },
    decision_note: { type: 'text', meaning: 'What was noted with that', ...optional },
    ...tailColumns,
  },
  filters: {
    status: oneOf('status', amendmentStatuses),
    cause: oneOf('cause', amendmentCauses),
    partnership_id: ofPartnership,
    updated_since: updatedSince,
  },
})
