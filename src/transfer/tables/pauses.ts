import { sql } from 'kysely'
import { uuid } from '../../core/schemas.ts'
import { compiler, param } from '../../db/prepared.ts'
import { oneOf, updatedSince } from '../../platform/lists.ts'
import { pauseReasons, scheduleEffects } from '../../resources/pauses/schemas.ts'
import {
  codeColumn,
  commitmentKey,
  disruptionKey,
  optional,
  partnershipKey,
  partyKey,
  recordColumns,
} from '../columns.ts'
import { defineTable } from '../table.ts'
import { pauseUnit } from '../touched.ts'

/** When partnerships and commitments stood still. */
export const pausesTable = defineTable(compiler.selectFrom('pauses as r'), {
  name: 'pauses',
  rowName: 'ExportedPause',
  grain: 'pause of a partnership or of one commitment',
  notes: 'A pause lasts from starts_on up to, and without, resumed_on; one without resumed_on lasts still.',
  key: ['id'],
  unit: pauseUnit,
  columns: {
    ...recordColumns('pause'),
    partnership_id: partnershipKey('The partnership'),
    commitment_id: commitmentKey('The commitment that was paused; null for the whole partnership', optional),
    starts_on: { type: 'date', meaning: 'Its first day' },
    planned_resume_on: { type: 'date', meaning: 'When it is meant to go on', ...optional },
    review_on: { type: 'date', meaning: 'When it will be looked at again', ...optional },
    resumed_on: { type: 'date', meaning: 'The first day after it; null while it lasts', ...optional },
    reason: codeColumn(pauseReasons, 'Why'),
    initiated_by_party_id: partyKey('The party that asked for it'),
    on_behalf_of_party_id: partyKey('The party that it spares', optional),
    note: { type: 'text', meaning: 'What was noted with it', ...optional },
    schedule_effect: codeColumn(scheduleEffects, 'What becomes of what falls due meanwhile'),
    disruption_id: disruptionKey('The disruption that it answers', optional),
  },
  filters: {
    reason: oneOf('reason', pauseReasons),
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    updated_since: updatedSince,
  },
})
