import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { asOwner } from '../src/db/tenants.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { type Json, startService } from './support/harness.ts'
import { audience, startIssuer } from './support/issuer.ts'
import { isProblem } from './support/problem.ts'
import { allianceTakenOver } from './support/promises.ts'
import { organisation } from './support/world.ts'

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock, issuers: makeOutbound({ allowPrivate: true, timeoutMs: 2000 }) })
const idp = await startIssuer(t, () => Math.floor(clock.millis() / 1000))
const { partnership, organisations } = await allianceTakenOver(service)
const { company, charity } = organisations
const [{ name: tenant }] = await asOwner(service.url, async (client) => {
  const { rows } = await client.query('select name from tenants where id = $1', [service.tenantId])
  return rows as [{ name: string }]
})

const me = async (key: string): Promise<Json> => {
  const answer = await service.get('/v1/me', { key })
  t.equal(answer.status, 200, answer.text)
  return answer.body
}
const named = ({ id, name }: Json) => ({ id, name })

t.test('a key is told what it is, and not its secret', async (t) => {
  const scopes = ['organisations:read', 'events:read']
  const made = await service.make('/v1/api-keys', { name: 'Our CRM', scopes, expires_at: '2030-01-01T00:00:00Z' })
  const answer = await service.get('/v1/me', { key: made.key })
  t.same(answer.body, {
    type: 'api_key',
    audience: 'staff',
    tenant: { id: service.tenantId, name: tenant },
    scopes,
    organisations: [],
    expires_at: '2030-01-01T00:00:00+00:00',
    api_key: { id: made.id, name: 'Our CRM', prefix: made.prefix },
    token: null,
    requests_per_minute: Number(/q=(\d+)/.exec(answer.headers['ratelimit-policy'] as string)?.[1]),
  })
  t.notOk(answer.text.includes(made.key.split('_')[2]))
  t.equal(answer.headers['cache-control'], 'private, no-cache')
  t.equal((await me(service.key)).expires_at, null)
})

t.test('who has the secret from before a rotation is told when that one ends', async (t) => {
  const rotated = async (more: object, until: string) => {
    const made = await service.make('/v1/api-keys', { name: 'Rotated', scopes: ['organisations:read'], ...more })
    const path = `/v1/api-keys/${made.id}/rotate`
    const { body } = await service.call('POST', path, { previous_valid_until: until }, { ifMatch: '*' })
    return [(await me(made.key)).expires_at, (await me(body.key)).expires_at]
  }
  const [soon, later, last] = ['2026-03-01T13:00:00+00:00', '2026-03-02T13:00:00+00:00', '2026-03-03T13:00:00+00:00']
  t.same(await rotated({}, soon), [soon, null])
  t.same(await rotated({ expires_at: last }, later), [later, last])
  t.same(await rotated({ expires_at: soon }, later), [soon, soon], 'the key ends before')
})

t.test('a partner learns for which organisations it stands', async (t) => {
  const portal = async (...all: Json[]) =>
    (
      await service.make('/v1/api-keys', {
        name: 'A portal',
        scopes: ['partnerships:read'],
        organisation_ids: all.map(({ id }) => id),
      })
    ).key
  const both = await me(await portal(company, charity))
  t.match(both, { type: 'api_key', audience: 'partner', scopes: ['partnerships:read'], api_key: { name: 'A portal' } })
  t.same(both.tenant, { id: service.tenantId, name: tenant })
  const byName = (a: Json, b: Json) => (a.name < b.name ? -1 : 1)
  t.same(both.organisations.toSorted(byName), [company, charity].map(named).sort(byName))
  const alone = await organisation(service, 'company', 'In no partnership')
  t.same((await me(await portal(alone))).organisations, [named(alone)])
  t.same((await me(await portal(charity))).organisations, [named(charity)], 'and nothing of whom it is allied with')
})

t.test('an organisation that was merged is told as the one that is left', async (t) => {
  const [first, second] = [
    await organisation(service, 'company', 'Twice'),
    await organisation(service, 'company', 'Once'),
  ]
  const { key } = await service.make('/v1/api-keys', {
    name: 'A portal',
    scopes: ['partnerships:read'],
    organisation_ids: [first.id, second.id],
  })
  t.same((await me(key)).organisations, [named(second), named(first)], 'by name')
  const merged = await service.call(
    'POST',
    `/v1/organisations/${second.id}/merge`,
    { duplicate_id: first.id },
    { ifMatch: '*' },
  )
  t.equal(merged.status, 200, merged.text)
  t.same((await me(key)).organisations, [named(second)])
})

t.test('a token is told who issued it for whom, and what of its scopes counts', async (t) => {
  const issuer = {
    name: 'Sign-in',
    issuer: idp.issuer,
    audience,
    signs_in: 'staff',
    scopes: ['partnerships:read', 'organisations:read'],
    scopes_claim: 'scope',
  }
  await service.make('/v1/oidc-issuers', issuer)
  await service.make('/v1/oidc-issuers', {
    ...issuer,
    audience: 'https://portal.example.org',
    signs_in: 'partners',
    organisations_claim: 'organisations',
  })
  const staff = await me(
    await idp.token({ sub: 'a/b', scope: 'partnerships:read admin', name: 'Fatima', email: 'f@x.nl' }),
  )
  const base = { type: 'token', tenant: { id: service.tenantId, name: tenant }, api_key: null }
  t.match(staff, { ...base, audience: 'staff', scopes: ['partnerships:read'], organisations: [] })
  t.same(staff.token, { issuer: idp.issuer, subject: 'a/b' })
  t.ok(Date.parse(staff.expires_at) > clock.millis() && Date.parse(staff.expires_at) < clock.millis() + 86_400_000)
  t.equal((await me(await idp.token({ exp: 1e15 }))).expires_at, null, 'beyond all instants')
  t.notMatch(JSON.stringify(staff), /Fatima|f@x/)
  t.same((await me(await idp.token({ scope: '' }))).scopes, [], 'a credential that may do nothing may ask that')

  const portal = (organisations: unknown) => idp.token({ aud: 'https://portal.example.org', organisations })
  const partner = await me(await portal([charity.id]))
  t.match(partner, { ...base, audience: 'partner', organisations: [named(charity)] })
  t.same((await me(await portal([partnership.id]))).organisations, [], 'what is no organisation is none')
  isProblem(t, await service.get('/v1/me', { key: await portal([]) }), 'unauthenticated')
})

t.test('it is asked with a credential, and with nothing else', async (t) => {
  for (const key of [null, 'beide_none_none', `${service.key}0`]) {
    isProblem(t, await service.get('/v1/me', { key }), 'unauthenticated')
  }
  isProblem(t, await service.get(`/v1/me?organisation_id=${charity.id}`), 'invalid_request')
  isProblem(t, await service.call('POST', '/v1/me', {}), 'method_not_allowed')
  const elsewhere = await service.make('/v1/api-keys', {
    name: 'Bound',
    scopes: ['admin'],
    allowed_addresses: ['192.0.2.0/24'],
  })
  isProblem(t, await service.get('/v1/me', { key: elsewhere.key }), 'forbidden')
  const stranger = await service.afresh()
  t.notSame((await stranger.get('/v1/me')).body.tenant.id, service.tenantId)
  await service.call('POST', `/v1/api-keys/${elsewhere.id}/revoke`)
})
