import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

// The page, and a provider of sign-in to try it with: it believes whoever comes, so it is for a machine of one's own.

const folder = new URL('./', import.meta.url)

/** What a partner's person may be given here. */
export const portalScopes = ['partnerships:read', 'commitments:read', 'evaluations:read', 'evaluations:answer']

export interface Portal {
  page: string
  issuer: string
  close(): Promise<void>
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/**
 * Serves the page and the provider. Everyone who signs in is of the organisations given.
 * @param options.api where the service answers
 * @param options.resource the audience under which the service knows the provider
 */
export async function servePortal(options: {
  api: string
  resource: string
  organisations: readonly string[]
  pagePort?: number
  issuerPort?: number
}): Promise<Portal> {
  const { api, resource, organisations, pagePort = 0, issuerPort = 0 } = options
  const pages = createServer()
  const page = `${await listen(pages, pagePort)}/`
  const sign = createServer()
  const issuer = await listen(sign, issuerPort)
  pages.on('request', async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', page)
    const config = JSON.stringify({ api, issuer, client_id: 'portal', resource })
    const isConfig = pathname === '/config.json'
    if (!isConfig && pathname !== '/') return void response.writeHead(404).end()
    const body = isConfig ? config : await readFile(new URL('index.html', folder))
    const type = isConfig ? 'application/json' : 'text/html; charset=utf-8'
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
  })
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'portal',
        token_endpoint_auth_method: 'none',
        redirect_uris: [page],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        application_type: 'native',
      },
    ],
    cookies: { keys: [randomBytes(16).toString('hex')] },
    clientBasedCORS: (_context, origin) => `${origin}/` === page,
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: portalScopes.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 900,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_context, token) =>
      'accountId' in token && token.accountId ? { organisations: [...organisations] } : undefined,
  })
  sign.on('request', provider.callback())
  return {
    page,
    issuer,
    async close() {
      for (const server of [pages, sign]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

if (import.meta.main) {
  const organisations = process.argv.slice(2)
  if (organisations.length === 0) throw new Error('Give the id of the organisation whose people sign in')
  const api = 'http://127.0.0.1:3000'
  const { page, issuer } = await servePortal({ api, resource: api, organisations, pagePort: 4001, issuerPort: 4000 })
  process.stdout.write(`The portal is at ${page}, its sign-in at ${issuer}\n`)
}
