import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { optionalIfMatch } from '../../core/etag.ts'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { param } from '../../db/prepared.ts'
import { callerOf, principalOf } from '../../platform/auth.ts'
import { action, type SliceOptions } from '../../platform/collection.ts'
import { idParams, items, refParams } from '../../platform/items.ts'
import {
  byInstant,
  byText,
  defineList,
  externalRef,
  type Filter,
  oneOf,
  searched,
  updatedSince,
} from '../../platform/lists.ts'
import { gives, makes, operation, sentOn } from '../../platform/operation.ts'
import { sendCreated, sendOutcome } from '../../platform/resource.ts'
import { requireOrganisation } from '../organisations/read.ts'
import { createContact, deleteContact, eraseContact, reviseContact, upsertContact } from './commands.ts'
import { contactData } from './data.ts'
import { Contact, ContactPatch, ContactWrite, contactFunctions, contactSchemas } from './schemas.ts'
import { contactResource } from './view.ts'

const tag = 'Contacts'
const refusals = ['duplicate', 'state_forbids', 'rule_violated'] as const

const filters: Record<string, Filter> = {
  q: searched('A part of a name or e-mail address, whatever its case or accents'),
  function: oneOf('function', contactFunctions),
  active: { schema: Type.Boolean(), where: sql`r.active = ${param('active')}::boolean` },
  external_ref: externalRef('contact'),
  updated_since: updatedSince,
}

const shared = {
  item: Contact,
  view: contactResource.view,
  sorts: { created_at: byInstant('created_at'), updated_at: byInstant('updated_at'), name: byText('sort_name') },
  defaultSort: 'created_at',
}

const list = defineList({
  ...shared,
  name: 'contacts_of_all',
  filters: {
    organisation_id: {
      schema: uuid({ description: 'Contacts of this organisation' }),
      where: sql`r.organisation_id = ${param('organisation_id')}::uuid`,
      names: 'organisations',
    },
    ...filters,
  },
})

const listOfOrganisation = defineList({
  ...shared,
  name: 'contacts',
  within: sql<boolean>`r.organisation_id = ${param('organisation_id')}::uuid`,
  filters,
})

const page = {
  200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
}

/**
 * The people of an organisation who look after its alliances. Each answer shows a person, so each operation asks for a
 * scope that is held apart: an integration without need never meets one. Other records name contacts by id alone.
 */
export const contacts: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of contactSchemas) app.addSchema(schema)
  app.addSchema(list.page)
  app.get(
    '/contacts',
    operation({
      id: 'list_contacts',
      scope: 'personal_data:read',
      tag,
      summary: 'List the contacts of all organisations',
      description:
        'For a sync: with `sort=updated_at` and `updated_since` it gives what changed, and persons who were erased ' +
        '(`erased_at`), without anything that tells of them. That a contact was deleted is told by events. The audit notes who was shown.',
      query: list.query,
      answers: page,
    }),
    (request, reply) => list.send(slice.database, request, reply),
  )
  ofOrganisation(app, slice)
  contactData(app, slice)
  items(app, slice, {
    resource: contactResource,
    tag,
    one: 'contact',
    scopes: { read: 'personal_data:read', write: 'personal_data:write' },
    wire: Contact,
    write: ContactWrite,
    patch: ContactPatch,
    refusals,
    commands: { revise: reviseContact, remove: deleteContact },
  })
  action(app, slice, {
    resource: contactResource,
    tag,
    one: 'contact',
    verb: 'erase',
    scope: 'personal_data:write',
    summary: 'Erase one person',
    description:
      'For a request under the AVG (GDPR). Blanks the person, with external refs and metadata, and keeps the id, so ' +
      'that records which name it stay whole. There is no way back; erasing again changes nothing. Events never hold ' +
      'more of a contact than its ids, function and whether it is active. Rows that wait to be imported and tell of the ' +
      'person are refused; of rows of contacts that were refused before only the codes of their faults are left.',
    body: strictObject({}),
    wire: Contact,
    refusals: [],
    isStep: false,
    command: eraseContact,
  })
}

type App = Parameters<FastifyPluginAsyncTypebox<SliceOptions>>[0]

/** What is done below an organisation: listing, adding, and writing by the client's own id. */
function ofOrganisation(app: App, { database, clock }: SliceOptions): void {
  const path = '/organisations/:id/contacts'
  app.get(
    path,
    operation({
      id: 'list_organisation_contacts',
      scope: 'personal_data:read',
      tag,
      summary: 'List the contacts of an organisation',
      params: idParams,
      query: listOfOrganisation.query,
      answers: { ...page, ...sentOn },
    }),
    async (request, reply) => {
      const { id } = request.params
      await database.read(principalOf(request), (tx) => requireOrganisation(tx, id))
      return listOfOrganisation.send(database, request, reply, { organisation_id: id })
    },
  )

  app.post(
    path,
    operation({
      id: 'create_contact',
      scope: 'personal_data:write',
      tag,
      summary: 'Add one contact to an organisation',
      params: idParams,
      body: ref(ContactWrite),
      answers: { 201: makes(ref(Contact), 'The new record') },
      refusals: ['duplicate', 'state_forbids', 'rule_violated'],
      // What is kept for a repeated request must not outlive the erasure of the person.
      answersSecret: true,
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) =>
        createContact(tx, request.params.id, request.body),
      )
      return sendCreated(reply, contactResource.path, outcome)
    },
  )

  app.put(
    `${path}/by-ref/:system/:ref_id`,
    operation({
      id: 'upsert_contact',
      scope: 'personal_data:write',
      tag,
      summary: 'Create or replace one contact of an organisation by your own id',
      description:
        'Creates the record (201), or replaces its writable members (200); an identical body changes nothing and keeps ' +
        'the version. external_refs that the body leaves out stay.',
      params: strictObject({ id: uuid(), ...refParams.properties }),
      body: ref(ContactWrite),
      answers: {
        200: gives(ref(Contact), 'The record, replaced or as it was'),
        201: makes(ref(Contact), 'The new record'),
      },
      refusals,
      ifMatch: 'optional',
    }),
    async (request, reply) => {
      const { id, system, ref_id } = request.params
      const ifMatch = optionalIfMatch(request.headers['if-match'])
      const { created, outcome } = await database.write(callerOf(request, clock), (tx) =>
        upsertContact(tx, id, { system, id: ref_id }, request.body, ifMatch),
      )
      return created ? sendCreated(reply, contactResource.path, outcome) : sendOutcome(reply, outcome)
    },
  )
}
