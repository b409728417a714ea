import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { ref } from '../../core/schemas.ts'
import { principalOf } from '../../platform/auth.ts'
import { action, idParams, type SliceOptions } from '../../platform/collection.ts'
import { operation } from '../../platform/operation.ts'
import { mergeOrganisation, previewMerge } from './merge.ts'
import { OrganisationMerge, OrganisationMergePreview } from './merge-schemas.ts'
import { Organisation } from './schemas.ts'
import { organisationResource } from './view.ts'

const tag = 'Organisations'
const refusals = ['state_forbids', 'rule_violated'] as const

/** Merging two records of one organisation. */
export function merging(app: FastifyInstance, slice: SliceOptions): void {
  action(app, slice, {
    resource: organisationResource,
    tag,
    one: 'organisation',
    verb: 'merge',
    scope: 'organisations:write',
    summary: 'Merge a duplicate into one organisation',
    description:
      'The organisation in the address survives and keeps its fields. External refs, identifiers, contacts, seats in ' +
      'partnerships, objectives and subsidiaries of the duplicate become its own, and its name an alternate name. From ' +
      'then on the duplicate’s id leads to the survivor: reads answer 308, writes 409, and its refs find the survivor. ' +
      'The feed tells of it by `organisation.merged`, whose data is the duplicate with merged_into_id, and by ' +
      'an event for each record that moved. Where contacts, objectives or seats move, the credential needs their write ' +
      'scopes too. There is no way back.',
    body: ref(OrganisationMerge),
    wire: Organisation,
    refusals: [...refusals, 'stale'],
    isStep: false,
    command: mergeOrganisation,
  })

  const preview: FastifyPluginAsyncTypebox = async (typed) => {
    typed.post(
      `/${organisationResource.path}/:id/merge-preview`,
      operation({
        id: 'preview_organisation_merge',
        scope: 'organisations:read',
        tag,
        summary: 'Show what a merge would do',
        description: 'Changes nothing, and so needs neither If-Match nor Idempotency-Key.',
        params: idParams,
        body: ref(OrganisationMerge),
        changesNothing: true,
        answers: {
          200: { description: 'What would move, and what stands in the way', schema: ref(OrganisationMergePreview) },
        },
        refusals: [...refusals, 'stale'],
      }),
      (request) => slice.database.read(principalOf(request), (tx) => previewMerge(tx, request.params.id, request.body)),
    )
  }
  void app.register(preview)
}
