import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sql } from 'kysely'
import { type TSchema, Type } from 'typebox'
import { Faults } from '../core/problem.ts'
import { idOf, Ref, ref, strictObject, uuid } from '../core/schemas.ts'
import type { Database, ReadTx } from '../db/database.ts'
import { param, prepare, tenantParam } from '../db/prepared.ts'
import { principalOf } from './auth.ts'
import { operation } from './operation.ts'
import type { AnyResource } from './resource.ts'
import type { Scope } from './scopes.ts'

const recordsMax = 200

interface Wanted {
  ids?: string[]
  refs?: { system: string; id: string }[]
}

const Lookup = strictObject(
  {
    ids: Type.Optional(Type.Array(uuid(), { maxItems: recordsMax })),
    refs: Type.Optional(Type.Array(ref(Ref), { maxItems: recordsMax })),
  },
  {
    $id: 'Lookup',
    minProperties: 1,
    description: `Names up to ${recordsMax} records, by our ids, by your own, or both`,
  },
)

const byRefs = prepare<{ position: number; resource_id: string }>(sql`
  select n.position, x.resource_id
  from json_to_recordset(${param('refs')}::json) as n (position integer, system text, id text)
  join external_refs x on x.tenant_id = ${tenantParam} and x.resource_type = ${param('type')} and x.system = n.system
    and x.ref_id = n.id`)

/** The component that every lookup shares: registered once. */
export const lookupSchemas = [Lookup]

/** Reads many records in one request, so that a sync needs no request for each: `POST /v1/organisations/lookup`. */
export function lookUp(
  app: Parameters<FastifyPluginAsyncTypebox>[0],
  { database }: { database: Database },
  options: { resource: AnyResource; tag: string; scopes: { read: Scope }; wire: TSchema },
): void {
  const { resource, tag, scopes, wire } = options
  const names = resource.path.replaceAll('-', '_')
  const found = foundOf(wire)
  app.addSchema(found)
  const many = prepare<{ id: string; body: string }>(sql`
    select v.id, row_to_json(v)::text as body from (${resource.view
      .where(sql.ref('r.tenant_id'), '=', tenantParam)
      .where(sql<boolean>`${sql.ref('r.id')} = any(${param('ids')}::uuid[])`)}) v`)

  app.post(
    `/${resource.path}/lookup`,
    operation({
      id: `lookup_${names}`,
      scope: scopes.read,
      tag,
      summary: `Read many ${names.replaceAll('_', ' ')} at once`,
      description:
        'Each record stands once in `data`, in the order in which it was first named, ids before refs; what is not there ' +
        'is named in `not_found`. Changes nothing, and so needs no Idempotency-Key.',
      body: ref(Lookup),
      changesNothing: true,
      answers: { 200: { description: 'What was found, and what was not', schema: ref(found) } },
      refusals: ['rule_violated'],
    }),
    async (request, reply) => {
      const { ids = [], refs = [] } = request.body as Wanted
      requireCount(ids.length + refs.length)
      const body = await database.read(principalOf(request), async (tx) => {
        const named = [...ids.map((id) => id.toLowerCase()), ...(await idsOf(tx, resource, refs))]
        const rows = await many.run(tx, { ids: [...new Set(named.filter((id) => id !== undefined))] })
        return answerOf(named, new Map(rows.map((row) => [row.id, row.body])), ids, refs)
      })
      return reply.type('application/json; charset=utf-8').send(body)
    },
  )
}

/** @throws Problem `rule_violated` for no name at all, or too many */
function requireCount(count: number): void {
  if (count >= 1 && count <= recordsMax) return
  const faults = new Faults()
  faults.add('', 'count', `Name 1 to ${recordsMax} records, ids and refs together, not ${count}.`)
  faults.refuse()
}

/** The ids that refs stand for, in their order; undefined where there is no such record. */
async function idsOf(tx: ReadTx, { type }: AnyResource, refs: Wanted['refs'] = []): Promise<(string | undefined)[]> {
  if (refs.length === 0) return []
  const named = refs.map(({ system, id }, position) => ({ position, system, id }))
  const ids = new Array<string | undefined>(refs.length).fill(undefined)
  for (const { position, resource_id } of await byRefs.run(tx, { refs: JSON.stringify(named), type })) {
    ids[position] = resource_id
  }
  return ids
}

function answerOf(
  named: readonly (string | undefined)[],
  bodies: ReadonlyMap<string, string>,
  ids: readonly string[],
  refs: readonly { system: string; id: string }[],
): string {
  const isMissing = (at: number) => !bodies.has(named[at] ?? '')
  const data = [...new Set(named)].flatMap((id) => bodies.get(id ?? '') ?? [])
  const notFound = {
    ids: ids.filter((_, at) => isMissing(at)),
    refs: refs.filter((_, at) => isMissing(ids.length + at)),
  }
  return `{"data":[${data.join(',')}],"not_found":${JSON.stringify(notFound)}}`
}

const foundOf = (wire: TSchema) =>
  Type.Object(
    {
      data: Type.Array(ref(wire)),
      not_found: Type.Object({ ids: Type.Array(uuid()), refs: Type.Array(ref(Ref)) }),
    },
    { $id: `${idOf(wire)}Lookup`, description: 'What a lookup found, and what it did not' },
  )
