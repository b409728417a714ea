import { createHmac, createSign } from 'node:crypto'
import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { namesTwice, readToken } from '../src/platform/tokens/form.ts'
import { keySets } from '../src/platform/tokens/key-sets.ts'
import { type Json, startService } from './support/harness.ts'
import { audience, startIssuer } from './support/issuer.ts'
import { isProblem } from './support/problem.ts'
import { allianceTakenOver, faultsOf } from './support/promises.ts'

const clock = fixedClock('2026-03-01T12:00:00.000000Z')
const service = await startService(t, { clock, issuers: makeOutbound({ allowPrivate: true, timeoutMs: 2000 }) })
const seconds = () => Math.floor(clock.millis() / 1000)
const idp = await startIssuer(t, seconds)

const issuerWith = (more: object = {}) => ({
  name: 'Sign-in',
  issuer: idp.issuer,
  audience,
  signs_in: 'staff',
  scopes: ['partnerships:read', 'organisations:read', 'organisations:write'],
  scopes_claim: 'scope',
  ...more,
})
const registered = await service.make('/v1/oidc-issuers', issuerWith())

const ask = (token: string, path = '/v1/organisations') => service.get(path, { key: token })

t.test('a good token has the scopes that it claims, of those that its issuer may give', async (t) => {
  t.equal((await ask(await idp.token())).status, 200)
  const write = await service.call(
    'POST',
    '/v1/organisations',
    { name: 'x', sector: 'company' },
    { key: await idp.token() },
  )
  isProblem(t, write, 'forbidden')
  t.equal(
    write.headers['www-authenticate'],
    'Bearer realm="beide", resource_metadata="http://127.0.0.1:3000/.well-known/oauth-protected-resource", ' +
      'error="insufficient_scope", scope="organisations:write"',
  )
  const more = await idp.token({ scope: 'organisations:write admin commitments:read' })
  const made = await service.call(
    'POST',
    '/v1/organisations',
    { name: 'Van een mens', sector: 'company' },
    { key: more },
  )
  t.equal(made.status, 201)
  t.equal((await ask(more, '/v1/commitments')).status, 403, 'what the issuer may not give, its tokens do not have')
  t.equal((await ask(more, '/v1/api-keys')).status, 403)
  const [entry] = (await service.get(`/v1/audit?resource_id=${made.body.id}`)).body.data
  t.same(entry.actor, { type: 'token', id: `${registered.id}/someone` })
  t.equal((await ask(await idp.token({ aud: ['other', audience] }))).status, 200, 'an audience among others')
  t.equal(
    (await ask(await idp.token({ iat: seconds() + 30, nbf: seconds() + 30 }))).status,
    200,
    'clocks differ a little',
  )
})

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token in pieces that this test makes itself: `claims` as JSON text. */
async function raw(header: object, claims: string): Promise<string> {
  const text = `${b64(header)}.${Buffer.from(claims).toString('base64url')}`
  const { KeyObject } = await import('node:crypto')
  const signature = createSign('sha256').update(text).sign(KeyObject.from(idp.privateKey)).toString('base64url')
  return `${text}.${signature}`
}

const claimsNow = () => ({
  iss: idp.issuer,
  aud: audience,
  sub: 'someone',
  scope: 'organisations:read',
  iat: seconds(),
  exp: seconds() + 300,
})

t.test('attacks on tokens are refused, all with one answer', async (t) => {
  const good = await idp.token()
  t.equal((await ask(good)).status, 200)
  const claims = claimsNow()
  const header = { alg: 'RS256', typ: 'at+jwt', kid: idp.kid }
  t.equal((await ask(await raw(header, JSON.stringify(claims)))).status, 200, 'what this test makes itself is good')
  const [h = '', p = '', s = ''] = good.split('.')
  const none = `${b64({ ...header, alg: 'none' })}.${p}.`
  const spki = await exportSPKI(idp.publicKey)
  const hs = `${b64({ ...header, alg: 'HS256' })}.${p}`
  const other = await generateKeyPair('RS256', { extractable: true })
  const foreign = (more: object) =>
    new SignJWT(claims).setProtectedHeader({ ...header, ...more }).sign(other.privateKey)
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const malleable =
    s.slice(0, -1) + last[(last.indexOf(s.at(-1) ?? 'A') & ~15) | ((last.indexOf(s.at(-1) ?? 'A') + 1) & 15)]
  const attacks: Record<string, string> = {
    'no signature': none,
    'no algorithm, with the signature': `${b64({ ...header, alg: 'none' })}.${p}.${s}`,
    'no algorithm, in capitals': `${b64({ ...header, alg: 'NONE' })}.${p}.${s}`,
    'the public key as a secret': `${hs}.${createHmac('sha256', spki).update(hs).digest('base64url')}`,
    'an algorithm that is not listed': `${b64({ ...header, alg: 'RS384' })}.${p}.${s}`,
    'another issuer': await idp.token({ iss: 'https://evil.example' }),
    'an issuer in a list': await idp.token({ iss: [idp.issuer] as never }),
    'another audience': await idp.token({ aud: 'https://elsewhere.example' }),
    'no audience': await idp.token({ aud: undefined as never }),
    'an identity token': await idp.token({}, { typ: 'JWT' }),
    'no type': await idp.token({}, { typ: undefined }),
    'not yet': await idp.token({ nbf: seconds() + 120 }),
    'made in the future': await idp.token({ iat: seconds() + 120 }),
    over: await idp.token({ exp: seconds() - 61 }),
    'without an end': await raw(header, JSON.stringify({ ...claims, exp: undefined })),
    'an end that is no number': await raw(header, JSON.stringify({ ...claims, exp: '9999999999' })),
    'without a subject': await raw(header, JSON.stringify({ ...claims, sub: undefined })),
    'another’s key under the known name': await foreign({}),
    'another’s key under its own name': await foreign({ kid: 'mine' }),
    'a name of a key that is a path': await foreign({ kid: '../../../dev/null' }),
    'a name of a key that is a query': await foreign({ kid: "x' union select 'secret" }),
    'a name of a key that is no text': await foreign({ kid: 7 as never }),
    'the address of a key set': await foreign({ jku: 'http://127.0.0.1:9/jwks' }),
    'its own key': await foreign({ jwk: { kty: 'RSA', n: 'x', e: 'AQAB' } }),
    'its own chain': await foreign({ x5c: ['MIIB'] }),
    'the address of a chain': await foreign({ x5u: 'http://127.0.0.1:9/x' }),
    'an extension that is critical': await raw({ ...header, crit: ['exp'] }, JSON.stringify(claims)),
    'a payload that is not encoded': await raw({ ...header, b64: false }, JSON.stringify(claims)),
    'a claim twice': await raw(header, `${JSON.stringify(claims).slice(0, -1)},"scope":"organisations:write"}`),
    'claims that are a list': await raw(header, '[1]'),
    'claims that are no JSON': await raw(header, '{"iss"'),
    'too long': await idp.token({ padding: 'x'.repeat(9000) }),
    'another spelling of the signature': `${h}.${p}.${malleable}`,
    'a signature that is filled up': `${good}==`,
    'a signature with a bit turned': `${h}.${p}.${s.startsWith('A') ? 'B' : 'A'}${s.slice(1)}`,
    'other claims under the signature': `${h}.${b64({ ...claims, scope: 'admin' })}.${s}`,
    'four parts': `${good}.${s}`,
    'five parts, as if encrypted': `${h}..${p}.${s}.${s}`,
  }
  const detail = 'The credential is not valid: unknown, expired or revoked.'
  for (const [what, token] of Object.entries(attacks)) {
    const answer = await ask(token)
    t.match(answer, { status: 401, body: { code: 'unauthenticated', detail } }, what)
    t.match(answer.headers['www-authenticate'], 'error="invalid_token"', what)
  }
  const [denial] = (await service.get('/v1/audit?category=denial&action=sign_in.failed')).body.data
  t.match(denial, { resource_type: 'oidc_issuer', resource_id: registered.id, details: { reason: 'invalid_token' } })
})

t.test('a name that stands twice is found wherever it stands', async (t) => {
  for (const text of ['{"a":1,"a":2}', '{"b":{"a":1,"\\u0061":2}}', '[{"a":1 , "x":[{}],"a" :2}]'])
    t.ok(namesTwice(text), text)
  for (const text of ['{"a":"a:","b":["a",{"a":1}],"c":{"a":1}}', '[]', '{"a":"{\\"a\\":1}"}'])
    t.notOk(namesTwice(text), text)
  t.equal(readToken('a.b'), undefined)
})

/** True where an answer has a status within the second in which a change of an issuer counts everywhere. */
async function until(asked: () => Promise<{ status: number }>, status: number): Promise<boolean> {
  for (const end = performance.now() + 1000; performance.now() < end; )
    if ((await asked()).status === status) return true
  return false
}

t.test('a changed, disabled or deleted issuer counts within a second', async (t) => {
  const token = await idp.token()
  const path = `/v1/oidc-issuers/${registered.id}`
  t.equal((await ask(token)).status, 200)
  await service.call('PATCH', path, { is_enabled: false }, { ifMatch: '*' })
  t.ok(await until(() => ask(token), 401))
  await service.call('PATCH', path, { is_enabled: true, scopes: ['partnerships:read'] }, { ifMatch: '*' })
  t.ok(await until(() => ask(token), 403))
  await service.call('PATCH', path, { scopes: issuerWith().scopes }, { ifMatch: '*' })
  t.ok(await until(() => ask(token), 200))
})

t.test('a token ends when it says so', async (t) => {
  const token = await idp.token({ exp: seconds() + 10 })
  t.equal((await ask(token)).status, 200)
  clock.advance(69_000)
  t.equal((await ask(token)).status, 200, 'a minute is granted to clocks')
  clock.advance(2000)
  t.equal((await ask(token)).status, 401)
})

t.test('keys are asked for when a new one comes, with a limit, and kept through an outage', async (t) => {
  const away = await startIssuer(t, seconds)
  let now = 0
  const errors: Error[] = []
  const sets = keySets(
    makeOutbound({ allowPrivate: true, timeoutMs: 2000 }),
    (error) => errors.push(error),
    () => now,
  )
  const source = { issuer: away.issuer, jwksUrl: null }
  away.asked = 0
  t.ok(await sets.keysOf(source, 'first'))
  await Promise.all(Array.from({ length: 50 }, (_, at) => sets.keysOf(source, `unknown ${at}`)))
  t.equal(away.asked, 1, 'unknown keys ask no more often than the limit says')
  now += 31_000
  await away.rotate('second')
  await Promise.all(Array.from({ length: 50 }, () => sets.keysOf(source, 'second')))
  t.equal(away.asked, 2, 'of many who wait for a new key one asks')
  away.isAway = true
  now += 3_600_000
  t.ok(await sets.keysOf(source, 'second'), 'an issuer that is away keeps its keys')
  t.ok(await sets.keysOf(source, 'third'))
  t.ok(errors.length > 0)
  now += 25 * 3_600_000
  t.notOk(await sets.keysOf(source, 'third'), 'but not for ever')
  away.isAway = false
  now += 31_000
  t.ok(await sets.keysOf(source, 'second'), 'and has them again when it is back')
})

t.test('a partner’s token is bound to the organisations that its claim names', async (t) => {
  const portal = 'https://portal.example.org'
  const alliance = await allianceTakenOver(service)
  await allianceTakenOver(service)
  await service.call(
    'PATCH',
    `/v1/organisations/${alliance.organisations.charity.id}`,
    { external_refs: [{ system: 'idp', id: 'c-1' }] },
    { ifMatch: '*' },
  )
  const made = await service.make(
    '/v1/oidc-issuers',
    issuerWith({ audience: portal, signs_in: 'partners', scopes: ['partnerships:read'], organisations_claim: 'orgs' }),
  )
  const list = async (claims: object) =>
    service.get('/v1/partnerships', { key: await idp.token({ aud: portal, ...claims }) })
  const { company } = alliance.organisations
  const seen = await list({ orgs: [company.id] })
  t.same(
    seen.body.data.map(({ id }: Json) => id),
    [alliance.partnership.id],
  )
  t.equal((await list({})).status, 401, 'a partner of no organisation is nobody')
  t.equal((await list({ orgs: ['nonsense'] })).status, 401)
  await service.call('PATCH', `/v1/oidc-issuers/${made.id}`, { organisations_system: 'idp' }, { ifMatch: '*' })
  t.ok(await until(() => list({ orgs: 'c-1 unknown' }), 200), 'or by the ids of another system')
  t.equal((await list({ orgs: 'c-1 unknown' })).body.data.length, 1)
  t.equal((await list({ orgs: [company.id] })).status, 401)
})

t.test('what an issuer may be is checked', async (t) => {
  const refused = async (more: object) =>
    faultsOf(await service.call('POST', '/v1/oidc-issuers', issuerWith({ audience: 'x', ...more })))
  t.same(await refused({ signs_in: 'partners', scopes: ['admin'] }), [
    '/scopes/0 not_for_partners',
    '/organisations_claim required',
  ])
  t.same(await refused({ organisations_claim: 'orgs' }), ['/organisations_claim not_for_staff'])
  const stranger = await service.otherTenant('with the same issuer')
  const same = await service.call('POST', '/v1/oidc-issuers', issuerWith(), { key: stranger.key })
  isProblem(t, same, 'duplicate')
})

t.test('clients find out how to get a token', async (t) => {
  const address = '/.well-known/oauth-protected-resource'
  const before = await service.get(address, { key: null })
  t.match(before.body, {
    resource: 'http://127.0.0.1:3000',
    authorization_servers: [],
    bearer_methods_supported: ['header'],
  })
  await service.call('PATCH', `/v1/oidc-issuers/${registered.id}`, { is_listed: true }, { ifMatch: '*' })
  t.same((await service.get(address, { key: null })).body.authorization_servers, [idp.issuer])
})
