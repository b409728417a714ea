import type { FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { date, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { collection, type SliceOptions } from '../../platform/collection.ts'
import { byInstant, byText, defineList, externalRef, oneOf, searched, updatedSince } from '../../platform/lists.ts'
import { createObjective, deleteObjective, reviseObjective, upsertObjective } from './commands.ts'
import { Objective, ObjectivePatch, ObjectiveWrite, objectiveLevels, objectiveSchemas } from './schemas.ts'
import { objectiveResource } from './view.ts'

const list = defineList({
  name: 'objectives',
  item: Objective,
  of: objectiveResource,
  sorts: {
    created_at: byInstant('created_at'),
    updated_at: byInstant('updated_at'),
    title: byText('sort_title'),
  },
  defaultSort: 'created_at',
  filters: {
    q: searched('A part of the title or the description'),
    organisation_id: {
      schema: uuid(),
      names: 'organisations',
      where: sql`r.organisation_id = ${param('organisation_id')}::uuid`,
    },
    parent_id: { schema: uuid(), where: sql`r.parent_id = ${param('parent_id')}::uuid` },
    level: oneOf('level', objectiveLevels),
    active_on: {
      schema: date({ description: 'Counting on this day' }),
      where: sql`r.active_from <= ${param('active_on')}::date
        and (r.active_until is null or r.active_until >= ${param('active_on')}::date)`,
    },
    sdg_goal: {
      schema: Type.Integer({ minimum: 1, maximum: 17 }),
      where: sql`${param('sdg_goal')}::smallint = any(r.sdg_goals)`,
    },
    external_ref: externalRef('objective'),
    updated_since: updatedSince,
  },
})

/** What organisations want to reach. */
export const objectives: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of objectiveSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  collection(app, slice, {
    resource: objectiveResource,
    tag: 'Objectives',
    one: 'objective',
    many: 'objectives',
    scopes: { read: 'objectives:read', write: 'objectives:write' },
    wire: Objective,
    write: ObjectiveWrite,
    patch: ObjectivePatch,
    list,
    refusals: ['duplicate', 'rule_violated'],
    commands: {
      create: createObjective,
      revise: reviseObjective,
      upsert: upsertObjective,
      remove: deleteObjective,
    },
  })
}
