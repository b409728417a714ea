import { type RawBuilder, sql } from 'kysely'
import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import { compiler, param, tenantParam } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import {
  delivered,
  fulfilmentRate,
  ledgerEntries,
  ledgerSums,
  outstanding,
  replaced,
  reported,
  skipped,
} from '../../resources/commitments/derived.ts'
import { commitmentStatuses as statuses } from '../../resources/commitments/lifecycle.ts'
import { bindings, kinds, modes, motives, reciprocities } from '../../resources/commitments/schemas.ts'
import { units } from '../../resources/commitments/term-schemas.ts'
import { sides } from '../../resources/partnerships/schemas.ts'
import {
  codeColumn,
  disruptionKey,
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
import { commitmentUnit } from '../touched.ts'

/** Commitments by the alias `r`. What belongs to them in other tables is grouped once for the whole export and joined. */
export const commitmentsSource = compiler
  .selectFrom('commitments as r')
  .innerJoin('partnership_parties as giver', (join) =>
    join.onRef('giver.tenant_id', '=', 'r.tenant_id').onRef('giver.id', '=', 'r.from_party_id'),
  )
  .leftJoin('partnership_parties as receiver', (join) =>
    join.onRef('receiver.tenant_id', '=', 'r.tenant_id').onRef('receiver.id', '=', 'r.to_party_id'),
  )
  .leftJoin(
    sql<{ commitment_id: string; delivered: string | null; reported: string | null }>`(
      select e.commitment_id, ${ledgerSums} from ${ledgerEntries(sql`f.tenant_id = ${tenantParam}`)}
      group by e.commitment_id)`.as('l'),
    (join) => join.onRef('l.commitment_id', '=', 'r.id'),
  )
  .leftJoin(
    (eb) =>
      eb
        .selectFrom('commitment_returns as c')
        .select(['c.commitment_id', sql`json_agg(c.in_return_for_id order by c.position)`.as('ids')])
        .where('c.tenant_id', '=', tenantParam)
        .groupBy('c.commitment_id')
        .as('returns'),
    (join) => join.onRef('returns.commitment_id', '=', 'r.id'),
  )
  .leftJoin(refsOf('commitment'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

const ofMeasure = 'of currency, or of unit'
/** Money keeps the digits in which it was stored; quantities are plain decimals. */
const measured = (value: RawBuilder<unknown>) =>
  sql`case when r.currency is not null then ${value} else trim_scale(${value}) end`

/** What the parties promised, and what became of it. */
export const commitmentsTable = defineTable(commitmentsSource, {
  name: 'commitments',
  rowName: 'ExportedCommitment',
  grain: 'commitment',
  notes:
    'A commitment is measured in money (amount, currency) or in a quantity (quantity, unit), never in both; delivered ' +
    'and outstanding are in the same measure. Do not add rows of different currencies or units.',
  key: ['id'],
  unit: commitmentUnit,
  columns: {
    ...recordColumns('commitment'),
    partnership_id: partnershipKey('The partnership to which it belongs'),
    from_party_id: partyKey('The seat of the promiser'),
    from_organisation_id: organisationKey('The promiser', { value: sql.ref('giver.organisation_id') }),
    from_side: codeColumn(sides, 'The side of the promiser', { value: sql.ref('giver.side') }),
    to_party_id: partyKey('The seat of the receiver; null for the joint purpose', optional),
    to_organisation_id: organisationKey('The receiver; null for the joint purpose', {
      ...optional,
      value: sql.ref('receiver.organisation_id'),
    }),
    to_side: codeColumn(sides, 'The side of the receiver; null for the joint purpose', {
      ...optional,
      value: sql.ref('receiver.side'),
    }),
    kind: { type: 'code', codes: kinds, meaning: 'What is promised', value: 'r.kind' },
    title: { type: 'text', meaning: 'What it is called', value: 'r.title' },
    description: { type: 'text', meaning: 'What it is, at length', isNullable: true, value: 'r.description' },
    binding: { type: 'code', codes: bindings, meaning: 'How firmly it is promised', value: 'r.binding' },
    reciprocity: {
      type: 'code',
      codes: reciprocities,
      meaning: 'Whether something is expected in return; additional is extra, given because of a crisis',
      value: 'r.reciprocity',
    },
    motive: { type: 'code', codes: motives, meaning: 'Why the promiser gives', isNullable: true, value: 'r.motive' },
    mode: { type: 'code', codes: modes, meaning: 'How it takes place', value: 'r.mode' },
    amount: {
      type: 'decimal',
      unit: 'of currency',
      meaning: 'What is promised, in money; null for a quantity',
      isNullable: true,
      value: 'r.amount',
    },
    currency: { type: 'text', meaning: 'ISO 4217; null for a quantity', isNullable: true, value: 'r.currency' },
    quantity: {
      type: 'decimal',
      unit: 'of unit',
      meaning: 'What is promised, counted; null for money',
      isNullable: true,
      value: sql`trim_scale(r.quantity)`,
    },
    unit: { type: 'code', codes: units, meaning: 'What is counted; null for money', isNullable: true, value: 'r.unit' },
    delivered: {
      type: 'decimal',
      isSum: true,
      unit: ofMeasure,
      meaning: 'Confirmed fulfilments less those that were reversed',
      value: measured(delivered),
    },
    reported: {
      type: 'decimal',
      isSum: true,
      unit: ofMeasure,
      meaning: 'Fulfilments that the other side has neither confirmed nor disputed yet; not part of delivered',
      value: measured(reported),
    },
    skipped: {
      type: 'decimal',
      unit: ofMeasure,
      meaning: 'What pauses skipped of it, or will by their expected end: that is not owed any more',
      value: measured(skipped),
    },
    replaced: {
      type: 'decimal',
      unit: ofMeasure,
      meaning: 'What accepted substitutions replaced of it',
      value: measured(replaced),
    },
    outstanding: {
      type: 'decimal',
      unit: ofMeasure,
      meaning:
        'What is still owed while it is agreed, paused or lapsed: the measure less skipped, replaced and delivered, never below zero; zero ' +
        'in every other state',
      value: measured(outstanding),
    },
    fulfilment_rate: {
      type: 'decimal',
      unit: 'a share, 0 to 1',
      digits: 1,
      meaning:
        'Delivered divided by the measure less skipped and replaced, at most 1, cut off to four digits; null where it is ' +
        'undefined: nothing was agreed, nothing is left of the measure, or it was taken over as fulfilled without its ledger',
      isNullable: true,
      value: fulfilmentRate,
    },
    status: { type: 'code', codes: statuses, meaning: 'Where it stands', value: 'r.status' },
    agreed_on: { type: 'date', meaning: 'When both sides had agreed', isNullable: true, value: 'r.agreed_on' },
    closed_on: {
      type: 'date',
      meaning: 'When it lapsed, was kept or came to an end otherwise',
      isNullable: true,
      value: 'r.closed_on',
    },
    disruption_id: disruptionKey('The disruption by which it lapsed', {
      isNullable: true,
      value: sql.ref('r.disruption_id'),
    }),
    close_reason: { type: 'text', meaning: 'Why it came to an end', isNullable: true, value: 'r.close_reason' },
    ...takenOverColumns,
    in_return_for: {
      type: 'json',
      schema: Type.Array(uuid()),
      meaning: 'The commitments of the other side which it answers',
      value: sql`coalesce(returns.ids, '[]'::json)`,
    },
    ...tailColumns,
  },
  filters: {
    status: oneOf('status', statuses),
    kind: oneOf('kind', kinds),
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    updated_since: updatedSince,
  },
})
