import type { webcrypto } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { Test } from 'tap'

export const audience = 'https://api.example.org'

/** An issuer of this machine, whose key set can be changed, counted and taken away. */
export interface LocalIssuer {
  issuer: string
  /** How often its key set was asked for. */
  asked: number
  isAway: boolean
  privateKey: webcrypto.CryptoKey
  publicKey: webcrypto.CryptoKey
  kid: string
  rotate(kid: string): Promise<void>
  /** A token that is good, but for what is given. */
  token(claims?: JWTPayload, header?: object): Promise<string>
  server: Server
}

/** @param now seconds since the epoch, by the clock of the service under test */
export async function startIssuer(t: Pick<Test, 'teardown'>, now: () => number): Promise<LocalIssuer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys: object[] = []
  const made: LocalIssuer = {
    issuer,
    asked: 0,
    isAway: false,
    server,
    kid: '',
    privateKey: undefined as never,
    publicKey: undefined as never,
    async rotate(kid) {
      const pair = await generateKeyPair('RS256', { extractable: true })
      Object.assign(made, { privateKey: pair.privateKey, publicKey: pair.publicKey, kid })
      keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' })
    },
    token: (claims = {}, header = {}) =>
      new SignJWT({
        iss: issuer,
        aud: audience,
        sub: 'someone',
        client_id: 'portal',
        scope: 'partnerships:read organisations:read',
        iat: now(),
        exp: now() + 300,
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: made.kid, ...header })
        .sign(made.privateKey),
  }
  await made.rotate('first')
  server.on('request', (request, response) => {
    if (made.isAway) return void response.socket?.destroy()
    if (request.url === '/jwks') made.asked += 1
    const body =
      request.url === '/jwks'
        ? { keys }
        : { issuer, jwks_uri: `${issuer}/jwks`, authorization_endpoint: issuer, response_types_supported: ['code'] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  return made
}
