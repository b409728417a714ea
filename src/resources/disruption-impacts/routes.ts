import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { date, ref, uuid } from '../../core/schemas.ts'
import { param, tenantParam } from '../../db/prepared.ts'
import { callerOf } from '../../platform/auth.ts'
import { collection, idParams, type SliceOptions } from '../../platform/collection.ts'
import { byDate, byInstant, defineList, externalRef, oneOf, updatedSince } from '../../platform/lists.ts'
import { operation } from '../../platform/operation.ts'
import { assessImpacts } from './assess.ts'
import { createImpact, deleteImpact, reviseImpact, upsertImpact } from './commands.ts'
import {
  evaluationObligations,
  Impact,
  ImpactAssessment,
  ImpactAssessmentResult,
  ImpactPatch,
  ImpactWrite,
  impactSchemas,
  responses,
  severities,
} from './schemas.ts'
import { impactResource } from './view.ts'

const tag = 'Disruptions'

const list = defineList({
  name: 'impacts',
  item: Impact,
  of: impactResource,
  sorts: {
    created_at: byInstant('created_at'),
    updated_at: byInstant('updated_at'),
    assessed_on: { key: sql.ref('r.assessed_on'), type: 'date' },
    response_due_on: byDate('response_due_on'),
  },
  defaultSort: 'created_at',
  filters: {
    disruption_id: { schema: uuid(), where: sql`r.disruption_id = ${param('disruption_id')}::uuid` },
    partnership_id: { schema: uuid(), where: sql`r.partnership_id = ${param('partnership_id')}::uuid` },
    organisation_id: {
      schema: uuid({ description: 'Impacts that hit this organisation' }),
      names: 'organisations',
      where: sql`r.hit_party_id in (select p.id from partnership_parties p
        where p.tenant_id = ${tenantParam} and p.organisation_id = ${param('organisation_id')}::uuid)`,
    },
    severity: oneOf('severity', severities),
    response: oneOf('response', responses),
    evaluation_obligation: oneOf('evaluation_obligation', evaluationObligations),
    has_responded: {
      schema: Type.Boolean({ description: 'True where the response was carried out' }),
      where: sql`(r.responded_on is not null) = ${param('has_responded')}::boolean`,
    },
    response_due_before: {
      schema: date({ description: 'Responses that are due before this day' }),
      where: sql`r.response_due_on < ${param('response_due_before')}::date`,
    },
    evaluation_due_before: {
      schema: date({
        description: 'Evaluations that are asked for and due before this day: with evaluation_obligation=open',
      }),
      where: sql`r.evaluation_due_on < ${param('evaluation_due_before')}::date`,
    },
    external_ref: externalRef('impact'),
    updated_since: updatedSince,
  },
})

/** What disruptions do to partnerships, assessed one by one or many at once. */
export const disruptionImpacts: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of impactSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  collection(app, slice, {
    resource: impactResource,
    tag,
    one: 'impact',
    many: 'impacts',
    scopes: { read: 'disruptions:read', write: 'disruptions:write' },
    wire: Impact,
    write: ImpactWrite,
    patch: ImpactPatch,
    list,
    refusals: ['duplicate', 'state_forbids', 'rule_violated'],
    commands: { create: createImpact, revise: reviseImpact, upsert: upsertImpact, remove: deleteImpact },
  })

  app.post(
    '/disruptions/:id/assess-impacts',
    operation({
      id: 'assess_impacts',
      scope: 'disruptions:write',
      tag,
      summary: 'Assess many partnerships at once',
      description:
        'Gives every party that the filter finds the same assessment, all in one transaction. Where sectors or ' +
        'countries are left out, those of the disruption count; where that names none either, every sector or country. ' +
        'With dry_run it only lists whom it would assess.',
      params: idParams,
      body: ref(ImpactAssessment),
      answers: { 200: { description: 'Whom it found, and what became of each', schema: ref(ImpactAssessmentResult) } },
      refusals: ['rule_violated'],
    }),
    async (request) =>
      slice.database.write(callerOf(request, slice.clock), (tx) => assessImpacts(tx, request.params.id, request.body)),
  )
}
