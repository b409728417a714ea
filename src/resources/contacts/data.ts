import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { type Static, Type } from 'typebox'
import type { Clock } from '../../core/clock.ts'
import { notFound } from '../../core/problem.ts'
import { date, instant, nullable, ref, uuid } from '../../core/schemas.ts'
import type { Database } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { principalOf } from '../../platform/auth.ts'
import { idParams } from '../../platform/items.ts'
import { operation } from '../../platform/operation.ts'
import { Contact } from './schemas.ts'
import { contactResource } from './view.ts'

/** Of each list the latest so many are shown; its count says whether there are more. */
const shownMax = 1000

const listOf = (properties: Record<string, ReturnType<typeof Type.String>>, description: string) =>
  Type.Object(
    { count: Type.Integer({ minimum: 0 }), latest: Type.Array(Type.Object(properties), { maxItems: shownMax }) },
    { description },
  )

export const ContactData = Type.Object(
  {
    as_of: instant({ description: 'When it was read' }),
    contact: ref(Contact),
    manages: listOf(
      {
        partnership_id: uuid(),
        partnership_name: Type.String(),
        party_id: uuid(),
        starts_on: nullable(date()) as never,
      },
      'The partnerships that the person looks after',
    ),
    invitations: listOf(
      { id: uuid(), evaluation_id: uuid(), status: Type.String(), invited_at: instant() as never },
      'The rounds that the person was asked to judge in. What was answered in person cannot be told by whom',
    ),
    changes: listOf(
      { occurred_at: instant() as never, action: Type.String(), actor_id: nullable(Type.String()) as never },
      'What was written about the person, and by which credential, as far as the audit goes back',
    ),
    disclosures: listOf(
      { occurred_at: instant() as never, operation: Type.String(), actor_id: nullable(Type.String()) as never },
      'Who was shown the person, alone or among others, as far as the audit goes back',
    ),
  },
  { $id: 'ContactData', description: 'All that is kept of a person, for a request under the AVG (GDPR)' },
)
export type ContactData = Static<typeof ContactData>

/** The count of some rows, and the latest of them, as JSON; the rows go by the alias `l`. */
const latest = (columns: ReturnType<typeof sql>, from: ReturnType<typeof sql>, newest: ReturnType<typeof sql>) => sql`(
  select json_build_object('count', (select count(*) from ${from}), 'latest', coalesce((
    select json_agg(row_to_json(x)) from (
      select ${columns} from ${from} order by ${newest} limit ${sql.lit(shownMax)}) x), '[]')))`

const managed = sql`(
  select s.id as partnership_id, s.name as partnership_name, m.party_id, s.starts_on from partnership_managers m
  join partnerships s on s.tenant_id = m.tenant_id and s.id = m.partnership_id
  where m.tenant_id = ${tenantParam} and m.contact_id = r.id) l`
const invited = sql`(
  select i.id, i.evaluation_id, i.status, i.created_at as invited_at from evaluation_invitations i
  where i.tenant_id = ${tenantParam} and i.contact_id = r.id) l`
const changes = sql`(
  select e.sequence, e.occurred_at, e.action, e.actor_id from audit_entries e
  where e.tenant_id = ${tenantParam} and e.resource_type = 'contact' and e.resource_id = r.id and e.category = 'change') l`
const disclosures = sql`(
  select e.sequence, e.occurred_at, e.operation, e.actor_id from audit_entries e
  where e.tenant_id = ${tenantParam} and e.category = 'disclosure' and e.action = 'personal_data.read'
    and ((e.resource_type = 'contact' and e.resource_id = r.id)
      or (e.resource_type is distinct from 'contact' and strpos(e.details::text, r.id::text) > 0)
      -- Noted before it was noted whom a list showed.
      or (e.resource_type = 'organisation' and e.resource_id = r.organisation_id
        and e.details ->> 'contact_ids' is null))) l`

const data = prepare<{ body: string }>(sql`
  select json_build_object(
    'as_of', ${param('now')}::timestamptz,
    'contact', row_to_json(v),
    'manages', ${latest(sql`l.*`, managed, sql`l.partnership_id desc`)},
    'invitations', ${latest(sql`l.*`, invited, sql`l.invited_at desc, l.id`)},
    'changes', ${latest(sql`l.occurred_at, l.action, l.actor_id`, changes, sql`l.sequence desc`)},
    'disclosures', ${latest(sql`l.occurred_at, l.operation, l.actor_id`, disclosures, sql`l.sequence desc`)}
  )::text as body
  from (${contactResource.view
    .where(sql.ref('r.tenant_id'), '=', tenantParam)
    .where(sql.ref('r.id'), '=', param<string>('id'))}) v
  join contacts r on r.tenant_id = ${tenantParam} and r.id = v.id`)

/** All that is kept of one person, in one answer: what they may ask for. */
export function contactData(
  app: Parameters<FastifyPluginAsyncTypebox>[0],
  { database, clock }: { database: Database; clock: Clock },
): void {
  app.addSchema(ContactData)
  app.get(
    '/contacts/:id/data',
    operation({
      id: 'get_contact_data',
      scope: 'personal_data:read',
      tag: 'Contacts',
      summary: 'Read all that is kept of one person',
      description:
        'For a request under the AVG (GDPR): the record, what names it, what was written about it and who was shown it. ' +
        'Of each list the latest 1,000 are given; `count` says how many there are.',
      params: idParams,
      answers: { 200: { description: 'What is kept', schema: ref(ContactData) } },
    }),
    async (request, reply) => {
      const [row] = await database.read(principalOf(request), (tx) =>
        data.run(tx, { id: request.params.id, now: clock.now() }),
      )
      if (!row) throw notFound()
      return reply.type('application/json; charset=utf-8').send(row.body)
    },
  )
}
