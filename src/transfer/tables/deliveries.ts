import { type RawBuilder, sql } from 'kysely'
import { Type } from 'typebox'
import { country, ref, uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { bases, declarers, modes, units, Valuation } from '../../resources/commitments/term-schemas.ts'
import { confirmations } from '../../resources/fulfilments/lifecycle.ts'
import { instalmentStates } from '../../resources/instalments/schemas.ts'
import {
  codeColumn,
  commitmentKey,
  fulfilmentKey,
  listColumn,
  optional,
  type PlainColumn,
  partnershipKey,
  partyKey,
  recordColumns,
  refsOf,
  tailColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { commitmentUnit, fulfilmentUnit, within } from '../touched.ts'

// What becomes of a commitment: what it is worth, when its parts fall due, and what was delivered.

const ofCommitment = {
  schema: uuid(),
  where: sql<boolean>`r.commitment_id = ${param('commitment_id')}::uuid`,
}

/** What commitments are worth. */
export const commitmentValuationsTable = defineTable(compiler.selectFrom('commitment_valuations as r'), {
  name: 'commitment_valuations',
  rowName: 'ExportedCommitmentValuation',
  grain: 'valuation of a commitment',
  notes: 'Of the whole commitment. Do not add values of different currencies or on different bases.',
  key: ['commitment_id', 'position'],
  unit: within('commitment_id', commitmentUnit),
  columns: {
    commitment_id: commitmentKey('The commitment'),
    position: { type: 'integer', meaning: 'The order among those of the commitment, from 0' },
    amount: { type: 'decimal', unit: 'of currency', meaning: 'What it is worth' },
    currency: { type: 'text', meaning: 'ISO 4217' },
    basis: codeColumn(bases, 'On which basis'),
    declared_by: codeColumn(declarers, 'By whose word'),
    valued_on: { type: 'date', meaning: 'As of which day' },
  },
  filters: { commitment_id: ofCommitment },
})

/** Money keeps the digits in which it was stored; quantities are plain decimals. */
const measured = (value: RawBuilder<unknown>) =>
  sql`case when c.currency is not null then c.amount - c.amount + ${value} else trim_scale(${value}) end`
const part = (meaning: string, value: RawBuilder<unknown>): PlainColumn => ({
  type: 'decimal',
  unit: 'of currency, or of unit',
  meaning,
  value: measured(value),
})

const instalments = compiler
  .selectFrom('instalments as r')
  .innerJoin('commitments as c', (join) =>
    join.onRef('c.tenant_id', '=', 'r.tenant_id').onRef('c.id', '=', 'r.commitment_id'),
  )

/** When the parts of commitments fall due. */
export const instalmentsTable = defineTable(instalments, {
  name: 'instalments',
  rowName: 'ExportedInstalment',
  grain: 'instalment of a commitment',
  notes:
    'Those without superseded_on are the plan that counts, and add up to the measure of the commitment. What is overdue ' +
    'depends on the day on which you ask: scheduled, not suspended, and due_on before that day.',
  key: ['id'],
  unit: within('commitment_id', commitmentUnit),
  columns: {
    ...recordColumns('instalment'),
    partnership_id: partnershipKey('The partnership', { value: sql.ref('c.partnership_id') }),
    commitment_id: commitmentKey('The commitment of which it is a part'),
    seq: { type: 'integer', meaning: 'Its number within the commitment: one instalment for ever' },
    due_on: { type: 'date', meaning: 'When it falls due; null where no day was promised', ...optional },
    original_due_on: { type: 'date', meaning: 'When it was due before a pause shifted it', ...optional },
    measure: part('Its part of the commitment', sql`r.measure`),
    replaced: part('What accepted substitutions took of it', sql`r.replaced`),
    settled: part('What confirmed deliveries settled of it', sql`r.settled`),
    open: part(
      'What is still to be delivered on it; zero where it is settled, skipped or void',
      sql`(case when r.state = 'scheduled' then r.measure - r.replaced - r.settled else 0 end)`,
    ),
    currency: { type: 'text', meaning: 'ISO 4217; null for a quantity', ...optional, value: sql.ref('c.currency') },
    unit: codeColumn(units, 'What is counted; null for money', { ...optional, value: sql.ref('c.unit') }),
    state: codeColumn(instalmentStates, 'What became of it'),
    is_suspended: {
      type: 'boolean',
      meaning: 'Whether a pause that has not ended holds it up',
      value: sql`(r.is_suspended and r.superseded_on is null)`,
    },
    superseded_on: { type: 'date', meaning: 'The day from which a new plan took its place', ...optional },
  },
  filters: {
    state: oneOf('state', instalmentStates),
    commitment_id: ofCommitment,
    due_before: {
      schema: Type.String({ format: 'date', description: 'Due before this day' }),
      where: sql`r.due_on < ${param('due_before')}::date`,
    },
  },
})

const fulfilments = compiler
  .selectFrom('fulfilments as r')
  .leftJoin(refsOf('fulfilment'), (join) => join.onRef('refs.resource_id', '=', 'r.id'))

/** The ledger of what was delivered. */
export const fulfilmentsTable = defineTable(fulfilments, {
  name: 'fulfilments',
  rowName: 'ExportedFulfilment',
  grain: 'entry of the ledger of what was delivered',
  notes:
    'What was delivered is the sum of the confirmed entries, those with reversal_of counted as negative: a reversal takes ' +
    'back what it names, and has its confirmation.',
  key: ['id'],
  unit: fulfilmentUnit,
  columns: {
    ...recordColumns('entry'),
    commitment_id: commitmentKey('The commitment on which it was delivered'),
    delivered_on: { type: 'date', meaning: 'When it was delivered' },
    instalment_seq: { type: 'integer', meaning: 'The instalment that it was reported for', ...optional },
    amount: {
      type: 'decimal',
      unit: 'of currency',
      meaning: 'What was delivered, in money; null for a quantity',
      ...optional,
    },
    currency: { type: 'text', meaning: 'ISO 4217; null for a quantity', ...optional },
    quantity: {
      type: 'decimal',
      unit: 'of unit',
      meaning: 'What was delivered, counted; null for money',
      ...optional,
      value: sql`trim_scale(r.quantity)`,
    },
    unit: codeColumn(units, 'What is counted; null for money', optional),
    mode: codeColumn(modes, 'How it took place'),
    reach_audience: {
      type: 'integer',
      unit: 'persons',
      isLong: true,
      meaning: 'How many people it reached',
      ...optional,
      value: sql`(r.reach ->> 'audience')::bigint`,
    },
    reach_countries: {
      ...listColumn(country(), 'The countries that it reached', sql`r.reach -> 'countries'`),
      ...optional,
    },
    valuations: listColumn(ref(Valuation), 'What it was worth, where that was said of the delivery itself'),
    note: { type: 'text', meaning: 'What was noted with it', ...optional },
    evidence_url: { type: 'text', meaning: 'Where its evidence is', ...optional },
    reported_by_party_id: partyKey('The party that reported it, or took it back'),
    confirmation: codeColumn(confirmations, 'What the other side says'),
    decided_by_party_id: partyKey('The party that confirmed or disputed it', optional),
    decided_on: { type: 'date', meaning: 'When it did', ...optional },
    decision_note: { type: 'text', meaning: 'What was noted with that', ...optional },
    dispute_reason: { type: 'text', meaning: 'Why it was disputed; kept when the dispute was settled', ...optional },
    reversal_of: fulfilmentKey('The entry that this one takes back', optional),
    reversal_reason: { type: 'text', meaning: 'Why it was taken back', ...optional },
    ...tailColumns,
  },
  filters: {
    confirmation: oneOf('confirmation', confirmations),
    commitment_id: ofCommitment,
    updated_since: updatedSince,
  },
})
