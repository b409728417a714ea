import t from 'tap'
import { newId } from '../src/core/ids.ts'
import { asOwner } from '../src/db/tenants.ts'
import { partnerFields } from '../src/platform/partners/fields.ts'
import { partnerOperations, partnerScopes } from '../src/platform/partners/operations.ts'
import { everyOperation, forEach, masked, namingOwn, nobodys } from './support/every-operation.ts'
import type { Json } from './support/harness.ts'
import { idsOf, oneOfEach, ourRef, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'
import { organisation } from './support/world.ts'

// Every operation of the document, asked by partners: what is not theirs is as what is not there.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const ourIds = await idsOf(service)
const { guarded, kindOf, oursFor, ask, bodyOf, oursNamed, namesIn, placesOf } = everyOperation(service, ours)
const theirs = await oneOfEach(service, { system: ourRef.system, id: 'theirs' })
const open = guarded.filter(({ id }) => id in partnerOperations)

const keyOf = async (organisation_ids: readonly string[], scopes: readonly string[] = partnerScopes): Promise<Json> =>
  service.make('/v1/api-keys', { name: 'A portal', scopes, organisation_ids })

const partnership = (await service.get(`/v1/partnerships/${ours['partnerships']}`)).body
const both: string[] = partnership.parties.map(({ organisation_id }: Json) => organisation_id)
const another = (await service.get(`/v1/partnerships/${theirs['partnerships']}`)).body
const leaver = await organisation(service, 'public')
const lapsed = await keyOf(both)
const revoked = await keyOf(both)
await service.make(`/v1/api-keys/${revoked.id}/revoke`, {})
await asOwner(service.url, async (client) => {
  await client.query(`update api_keys set expires_at = '2026-01-01' where id = $1`, [lapsed.id])
  // It left before anything here was made.
  await client.query(
    `insert into partnership_parties (tenant_id, id, partnership_id, organisation_id, side, role, left_on, position)
     values ($1, $2, $3, $4, 'public', 'partner', '2020-01-01', 9)`,
    [service.tenantId, newId(), partnership.id, leaver.id],
  )
})
const own = (await keyOf(both)).key
const strangers: Record<string, string> = {
  'another partner': (await keyOf(another.parties.map(({ organisation_id }: Json) => organisation_id))).key,
  'a former partner': (await keyOf([leaver.id])).key,
}

t.test('what partners may do is a part of the document', async (t) => {
  const known = new Set(guarded.map(({ id }) => id))
  t.same(
    Object.keys(partnerOperations).filter((id) => !known.has(id)),
    [],
  )
})

t.test('what is open to partners is there for the partner whose it is', async (t) => {
  for (const operation of open) {
    const answer = await ask(service, operation, oursFor(operation), { key: own, ifMatch: '"999999"' })
    t.not(answer.status, 404, `${operation.id}: ${answer.text}`)
    t.not(answer.status, 403, `${operation.id}: ${answer.text}`)
    t.ok(answer.status < 500, `${operation.id}: ${answer.text}`)
    if (operation.method === 'GET') t.equal(answer.status, 200, `${operation.id}: ${answer.text}`)
  }
})

t.test('what is not open to partners is refused to them, with every scope', async (t) => {
  for (const operation of guarded.filter(({ id }) => !(id in partnerOperations))) {
    const answer = await ask(service, operation, oursFor(operation), { key: own })
    isProblem(t, answer, 'forbidden')
    t.notOk(
      [...ourIds].some((id) => answer.text.includes(id)),
      operation.id,
    )
  }
})

for (const [who, key] of Object.entries(strangers)) {
  t.test(`what is not theirs is as what is not there, for ${who}`, async (t) => {
    await forEach(guarded, async (operation) => {
      const naming = oursFor(operation)
      const answer = await ask(service, operation, naming, { key })
      const nothing = await ask(service, operation, nobodys, { key })
      t.equal(masked(answer, naming), masked(nothing, nobodys), operation.id)
      t.notOk(
        [...ourIds].some((id) => id !== naming.id && answer.text.includes(id)),
        operation.id,
      )
      if (operation.path.includes('{id}') && operation.id in partnerOperations) isProblem(t, answer, 'not_found')
    })
  })

  t.test(`filters and bodies that name what is not theirs find nothing, for ${who}`, async (t) => {
    await forEach(open, async (operation) => {
      for (const { name, options } of placesOf(operation, bodyOf(operation) as Json)) {
        const nothing = await ask(service, operation, nobodys, { key, ...options(nobodys.id, nobodys.ref_id) })
        for (const id of oursNamed(name, operation)) {
          const answer = await ask(service, operation, nobodys, { key, ...options(id, ourRef.id) })
          t.equal(masked(answer, { ...nobodys, id }), masked(nothing, nobodys), `${operation.id} ${name}`)
        }
      }
    })
  })
}

/** What a partner writes about its own, in its own name: with its own records wherever a body must name any. */
function ownBody(operation: (typeof open)[number], party: string): Json {
  const body = namingOwn(bodyOf(operation), theirs, party) as Json
  const names = namesIn(operation.body)
  const [acts] = (partnerOperations[operation.id]?.acts ?? []).filter((member) => names.includes(member))
  return acts?.endsWith('party_id') ? { ...body, [acts]: party } : body
}

t.test('a partner that names what is not its own, in what it asks about its own, finds nothing', async (t) => {
  const key = strangers['another partner'] as string
  const [{ id: party }] = another.parties
  const seen = new Map<number, number>()
  await forEach(open, async (operation) => {
    const naming = { ...oursFor(operation), id: theirs[kindOf(operation)] ?? nobodys.id, ref_id: 'theirs' }
    for (const { name, options } of placesOf(operation, operation.body ? ownBody(operation, party) : undefined)) {
      const nothing = await ask(service, operation, naming, { key, ...options(nobodys.id, nobodys.ref_id) })
      seen.set(nothing.status, (seen.get(nothing.status) ?? 0) + 1)
      for (const id of oursNamed(name, operation)) {
        const answer = await ask(service, operation, naming, { key, ...options(id, ourRef.id) })
        t.equal(masked(answer, { ...naming, id }), masked(nothing, nobodys), `${operation.id} ${name}`)
        t.notOk(
          [...ourIds].some((each) => each !== id && answer.text.includes(each)),
          `${operation.id} ${name}`,
        )
      }
    }
  })
  t.ok((seen.get(200) ?? 0) > 20, 'filters are asked of what is there')
  t.ok((seen.get(422) ?? 0) > 20, 'and writes are judged by their rules')
})

t.test(
  'without the scope, with an expired or a revoked key there is one answer for all, wherever an id stands',
  async (t) => {
    const keys = new Map<string, string>()
    for (const scope of new Set(open.flatMap(({ scope }) => scope ?? []))) {
      const others = partnerScopes.filter((held) => held !== scope)
      keys.set(scope, (await keyOf(both, others)).key)
    }
    await forEach(guarded, async (operation) => {
      const naming = oursFor(operation)
      const example = operation.body ? (bodyOf(operation) as Json) : undefined
      // What is not open to partners has a scope that no partner can have.
      const cases = [
        ...(operation.scope === undefined ? [] : [['forbidden', keys.get(operation.scope) ?? own] as const]),
        ['unauthenticated', lapsed.key],
        ['unauthenticated', revoked.key],
      ] as const
      for (const [code, key] of cases) {
        const answer = await ask(service, operation, naming, { key })
        const nothing = await ask(service, operation, nobodys, { key })
        isProblem(t, answer, code)
        const asked = masked(nothing, nobodys)
        t.equal(masked(answer, naming), asked, operation.id)
        for (const { name, options } of placesOf(operation, example)) {
          const [id = ''] = oursNamed(name, operation)
          const answer = await ask(service, operation, nobodys, { key, ...options(id, ourRef.id) })
          t.equal(masked(answer, { ...nobodys, id }), asked, `${operation.id} ${name}`)
        }
      }
    })
  },
)

const { schemas } = service.document.components

const words = (text = '') => new Set(text.split(' ').filter(Boolean))

/** The fields of a component, those of its parts after a dot, and the components that stand behind what is shown. */
function fieldsOf(schema: Json, hidden: ReadonlySet<string>, path = ''): { fields: string[]; names: string[] } {
  const parts = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((part) =>
    part.items ? [part, part.items, ...(part.items.anyOf ?? [])] : [part],
  )
  const found = { fields: [] as string[], names: [] as string[] }
  for (const part of parts) {
    if (part.$ref) found.names.push(part.$ref.split('/').at(-1))
    for (const [name, property] of Object.entries<Json>(part.properties ?? {})) {
      found.fields.push(`${path}${name}`)
      if (hidden.has(`${path}${name}`)) continue
      const inner = fieldsOf(property, hidden, `${path}${name}.`)
      found.fields.push(...inner.fields)
      found.names.push(...inner.names)
    }
  }
  return found
}

t.test('every field that a partner can receive was decided on, and no other is in the list', async (t) => {
  const waiting = open.flatMap(({ path, method }) =>
    Object.entries<Json>(service.document.paths[path][method.toLowerCase()].responses)
      .filter(([status]) => Number(status) < 300)
      .flatMap(([, { content = {} }]) =>
        Object.values<Json>(content).flatMap(({ schema }) => fieldsOf(schema, words()).names),
      ),
  )
  const reached = new Set<string>()
  for (let name = waiting.pop(); name; name = waiting.pop()) {
    if (reached.has(name)) continue
    reached.add(name)
    const [shown, hidden] = [words(partnerFields[name]?.shown), words(partnerFields[name]?.hidden)]
    const { fields, names } = fieldsOf(schemas[name], hidden)
    const decide = `${name}: decide in src/platform/partners/fields.ts what partners are shown`
    t.ok(name in partnerFields, decide)
    t.same([...shown, ...hidden].sort(), [...new Set(fields)].sort(), decide)
    waiting.push(...names)
  }
  t.same(
    Object.keys(partnerFields).filter((name) => !reached.has(name)),
    [],
    'what no partner can receive is not in the list',
  )
})

t.test('no filter tells what partners are not shown', async (t) => {
  const refused: string[] = []
  for (const operation of open.filter(({ method }) => method === 'GET')) {
    const schema = service.document.paths[operation.path].get.responses[200].content['application/json']?.schema
    const hidden = words(partnerFields[schema?.$ref?.split('/').at(-1).replace(/Page$/, '')]?.hidden)
    for (const { name } of operation.parameters.filter(
      ({ in: place, name }) => place === 'query' && hidden.has(name),
    )) {
      const answer = await ask(service, operation, oursFor(operation), { key: own, query: `?${name}=${nobodys.id}` })
      isProblem(t, answer, 'invalid_request')
      t.match(answer.body.errors, [{ pointer: `?${name}`, code: 'not_for_partners' }], operation.id)
      refused.push(`${operation.id} ${name}`)
    }
  }
  for (const filter of ['list_organisations parent_id', 'list_partnerships predecessor_id'])
    t.ok(refused.includes(filter), filter)
})
