import { readFile } from 'node:fs/promises'
import t from 'tap'
import { makeKey } from '../src/db/tenants.ts'
import { type Scope, scopes } from '../src/platform/scopes.ts'
import { everyOperation, masked, nobodys, unused } from './support/every-operation.ts'
import type { Answer, Json } from './support/harness.ts'
import { idsOf, oneOfEach, ourRef, startForAll } from './support/one-of-each.ts'
import { isProblem } from './support/problem.ts'

const service = await startForAll(t)
const stranger = await service.afresh()
const ours = await oneOfEach(service)
const ourIds = await idsOf(service)
const { guarded, kindOf, oursFor, bodyOf, ask, oursNamed, placesOf } = everyOperation(service, ours)

const showsOurs = (answer: Answer, asked: string[]): string[] =>
  [...ourIds].filter((id) => answer.text.includes(id) && !asked.includes(id))

t.test('no operation is left out of this test', async (t) => {
  const uncovered = guarded
    .filter((operation) => {
      const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
      return names.includes('id') ? !ours[kindOf(operation)] : names.some((name) => !(name in nobodys))
    })
    .map(({ id }) => id)
    .sort()
  const committed = await readFile(new URL('uncovered-operations.txt', import.meta.url), 'utf8')
  t.same(
    uncovered,
    committed.split('\n').filter(Boolean),
    'oneOfEach makes one record of each kind that has an address',
  )
})

t.test('a request without a good credential is refused', async (t) => {
  const { key } = service
  const expired = await service.make('/v1/api-keys', { name: 'Revoked', scopes: ['admin'] })
  await service.call('POST', `/v1/api-keys/${expired.id}/revoke`)
  const bad: Record<string, string | null> = {
    none: null,
    'of no form': 'hello',
    unknown: makeKey().key,
    'with another secret': `${key.slice(0, -4)}${key.endsWith('0000') ? '1111' : '0000'}`,
    revoked: expired.key,
  }
  for (const operation of guarded) {
    for (const [what, credential] of Object.entries(bad)) {
      const answer = await ask(service, operation, oursFor(operation), { key: credential })
      if (answer.status !== 401) t.fail(`${operation.id} takes a credential ${what}: ${answer.status}`)
    }
    const answer = await ask(service, operation, oursFor(operation), { key: null })
    isProblem(t, answer, 'unauthenticated')
    t.equal(
      answer.headers['www-authenticate'],
      'Bearer realm="beide", resource_metadata="http://127.0.0.1:3000/.well-known/oauth-protected-resource"',
      operation.id,
    )
  }
})

t.test('a key without the scope is refused, and told which', async (t) => {
  const keys = new Map<string, string>()
  for (const scope of scopes) {
    const others = scopes.filter((held) => held !== scope && held !== 'admin')
    keys.set(scope, await service.keyWith(others))
  }
  for (const operation of guarded.filter(({ scope }) => scope !== undefined)) {
    const scope = operation.scope as Scope
    const answer = await ask(service, operation, oursFor(operation), { key: keys.get(scope) as string })
    isProblem(t, answer, 'forbidden')
    t.equal(answer.body.scope, scope, operation.id)
    t.match(answer.body.detail, scope)
  }
})

t.test('what asks for no scope is open to a key of whichever scope, and to no other', async (t) => {
  const anyones = guarded.filter(({ scope }) => scope === undefined)
  t.same(
    anyones.map(({ id }) => id),
    ['get_me'],
  )
  for (const scope of scopes) {
    const key = await service.keyWith([scope])
    for (const operation of anyones) t.equal((await ask(service, operation, oursFor(operation), { key })).status, 200)
  }
})

t.test('what is another tenant’s is as what is not there', async (t) => {
  for (const operation of guarded) {
    await t.test(operation.id, async (t) => {
      const naming = oursFor(operation)
      const [theirs, nothing] = [await ask(stranger, operation, naming), await ask(stranger, operation, nobodys)]
      t.equal(masked(theirs, naming), masked(nothing, nobodys))
      t.same(showsOurs(theirs, [naming.id]), [])
      if (operation.path.includes('{id}')) isProblem(t, theirs, 'not_found')
      else if (operation.path.includes('{ref_id}') && operation.method === 'GET') isProblem(t, theirs, 'not_found')
    })
  }
})

t.test('filters and bodies that name records of another tenant find nothing', async (t) => {
  // Of a tenant that has made nothing under these references yet.
  const newcomer = await service.afresh()
  // One after another: what staff of a tenant make here, others of these requests name.
  for (const operation of guarded) {
    const isBelow = operation.path.includes('{id}')
    for (const { name, options } of placesOf(operation, isBelow ? undefined : (bodyOf(operation) as Json))) {
      // That a record bears itself, and not of another: what it may be depends on what was made here before.
      if (name === 'external_refs[]') continue
      const nothing = await ask(newcomer, operation, nobodys, options(nobodys.id, unused))
      for (const id of oursNamed(name, operation)) {
        const theirs = await ask(newcomer, operation, nobodys, options(id, ourRef.id))
        t.equal(masked(theirs, { ...nobodys, id }), masked(nothing, nobodys), `${operation.id} ${name}`)
        t.same(showsOurs(theirs, [id]), [])
      }
    }
  }
})

t.test('what is asked for here is there for us: nothing above is 404 for want of a record', async (t) => {
  for (const operation of guarded) {
    const naming = oursFor(operation)
    const answer = await ask(service, operation, naming, { ifMatch: '"999999"' })
    t.not(answer.status, 404, `${operation.id}: ${answer.text}`)
    if (operation.method === 'GET') t.equal(answer.status, 200, operation.id)
  }
})
