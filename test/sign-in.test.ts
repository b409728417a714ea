import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import t from 'tap'
import { makeOutbound } from '../src/platform/outbound.ts'
import { startService } from './support/harness.ts'
import { audience } from './support/issuer.ts'
import { allianceTakenOver } from './support/promises.ts'

// Sign-in as portals and integrations do it, at a real provider.

const service = await startService(t, { issuers: makeOutbound({ allowPrivate: true, timeoutMs: 5000 }) })
const alliance = await allianceTakenOver(service)
await allianceTakenOver(service)
const portal = 'https://portal.example.org/api'
const redirect = 'http://127.0.0.1/callback'

const server = createServer()
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
t.teardown(() => new Promise((resolve) => server.close(resolve)))
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portal',
      token_endpoint_auth_method: 'none',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      application_type: 'native',
    },
    {
      client_id: 'crm',
      client_secret: 'a secret of this test alone',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'partnerships:read organisations:read organisations:write',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  extraTokenClaims: (_context, token) =>
    'accountId' in token && token.accountId ? { organisations: [alliance.organisations.charity.id] } : undefined,
})
server.on('request', provider.callback())

/** A browser that keeps cookies, and follows no redirect by itself. */
function browser() {
  const cookies = new Map<string, string>()
  return async (url: string, form?: Record<string, string>) => {
    const response = await fetch(new URL(url, issuer), {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const at = pair.indexOf('=')
      cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return response
  }
}

/** Signs a person in with authorization code and PKCE, as a portal does. @returns the access token */
async function signIn(login: string, resource: string, scope: string): Promise<string> {
  const go = browser()
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: 'portal',
    response_type: 'code',
    redirect_uri: redirect,
    scope: `openid ${scope}`,
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'x',
  })
  let at = `/auth?${query}`
  for (let steps = 0; steps < 12; steps += 1) {
    const response = await go(at)
    const location = response.headers.get('location')
    if (location?.startsWith(redirect)) {
      const code = new URL(location).searchParams.get('code')
      if (!code) throw new Error(location)
      const answer = await fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: 'portal',
          code,
          redirect_uri: redirect,
          code_verifier: verifier,
          resource,
        }),
      })
      const { access_token, ...rest } = (await answer.json()) as { access_token?: string }
      if (!access_token) throw new Error(JSON.stringify(rest))
      return access_token
    }
    if (location) {
      at = location
      continue
    }
    const page = await response.text()
    const [, action = ''] = /action="([^"]+)"/.exec(page) ?? []
    const prompt = page.includes('name="login"') ? 'login' : 'consent'
    const sent = await go(action, { prompt, login, password: 'x' })
    at = sent.headers.get('location') ?? action
  }
  throw new Error('The provider went round in circles')
}

await service.make('/v1/oidc-issuers', {
  name: 'Portal',
  issuer,
  audience: portal,
  signs_in: 'partners',
  scopes: ['partnerships:read', 'organisations:read'],
  scopes_claim: 'scope',
  organisations_claim: 'organisations',
})
await service.make('/v1/oidc-issuers', {
  name: 'Integrations',
  issuer,
  audience,
  signs_in: 'staff',
  scopes: ['organisations:read', 'organisations:write'],
  scopes_claim: 'scope',
})

t.test('a person of a partner signs in at a portal and sees what is theirs', async (t) => {
  const key = await signIn('fatima', portal, 'partnerships:read')
  const seen = await service.get('/v1/partnerships', { key })
  t.equal(seen.status, 200, seen.text)
  t.same(
    seen.body.data.map(({ id }: { id: string }) => id),
    [alliance.partnership.id],
  )
  t.equal((await service.get('/v1/organisations', { key })).status, 403, 'only the scopes that were asked for')
  const staff = await signIn('fatima', audience, 'organisations:read')
  t.equal((await service.get('/v1/organisations', { key: staff })).status, 200, 'another audience, another sight')
})

t.test('an integration gets a token with its own credentials', async (t) => {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('crm:a+secret+of+this+test+alone').toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: audience,
      scope: 'organisations:read organisations:write',
    }),
  })
  const { access_token: key = '' } = (await answer.json()) as { access_token?: string }
  const made = await service.call('POST', '/v1/organisations', { name: 'Uit het CRM', sector: 'company' }, { key })
  t.equal(made.status, 201, made.text)
  t.equal((await service.get('/v1/partnerships', { key })).status, 403)
})
