import { createHash } from 'node:crypto'
import { jwtVerify } from 'jose'
import { v5 as uuidOf } from 'uuid'
import type { Clock } from '../../core/clock.ts'
import type { Database } from '../../db/database.ts'
import type { Principal } from '../principal.ts'
import type { Scope } from '../scopes.ts'
import { readToken, type Unverified } from './form.ts'
import type { KeySets } from './key-sets.ts'

/** Who issues tokens for a tenant, and what their claims mean. */
interface Issuer extends Record<string, unknown> {
  tenant_id: string
  id: string
  version: number
  issuer: string
  audience: string
  jwks_url: string | null
  token_type: 'at+jwt' | 'jwt'
  algorithms: string[]
  signs_in: 'staff' | 'partners'
  scopes: string[]
  scopes_claim: string | null
  organisations_claim: string | null
  organisations_system: string | null
}

/** A change of an issuer counts within this time on every process. */
const believedForMs = 800
/** How long a token that was verified is not verified again; its end is looked at each time. */
const verifiedForMs = 60_000
const kept = 10_000
const skewSeconds = 60

/** Keeps at most so many; the oldest go first. */
function bounded<T>(max: number) {
  const entries = new Map<string, T>()
  return {
    get: (name: string) => entries.get(name),
    delete: (name: string) => entries.delete(name),
    set(name: string, value: T) {
      entries.delete(name)
      entries.set(name, value)
      if (entries.size > max) entries.delete(entries.keys().next().value as string)
    },
  }
}

interface Verified {
  at: number
  issuer: { id: string; version: number }
  expiresAt: number
  principal: Principal
}

/** A principal; else the issuer whose token was refused, where the tenant has named one that it claims to be of. */
export type Tokens = (token: string) => Promise<{ principal?: Principal; issuer?: { tenantId: string; id: string } }>

/**
 * Believes access tokens as RFC 9068 and RFC 8725 say: of an issuer that a tenant named, for the audience that it named,
 * signed by a key of the issuer's own set with an algorithm of the tenant's list, of the type that is for access, and in
 * their time give or take a minute. Resolves to no principal for every other, whatever is wrong with it.
 */
export function tokenAuthenticator(database: Database, clock: Clock, sets: KeySets): Tokens {
  const issuers = bounded<{ at: number; found: Promise<Issuer | undefined> }>(1000)
  const verified = bounded<Verified>(kept)

  function issuerOf({ claims }: Unverified): Promise<Issuer | undefined> | undefined {
    const { iss, aud } = claims
    const audiences = [aud].flat()
    if (typeof iss !== 'string' || !audiences.every((each) => typeof each === 'string') || audiences.length > 20)
      return undefined
    const name = JSON.stringify([iss, audiences])
    const cached = issuers.get(name)
    if (cached && performance.now() - cached.at < believedForMs) return cached.found
    const found = database
      .outside<Issuer>({
        name: 'find_oidc_issuers',
        text: 'select * from find_oidc_issuers($1, $2)',
        values: [iss, audiences],
      })
      // A token for two tenants is for neither.
      .then((rows) => (rows.length === 1 ? rows[0] : undefined))
    issuers.set(name, { at: performance.now(), found })
    found.catch(() => issuers.delete(name))
    return found
  }

  return async (token) => {
    const read = readToken(token)
    if (!read) return {}
    const found = await issuerOf(read)
    if (!found) return {}
    const principal = await believed(token, read, found)
    return principal ? { principal } : { issuer: { tenantId: found.tenant_id, id: found.id } }
  }

  async function believed(token: string, read: Unverified, issuer: Issuer): Promise<Principal | undefined> {
    if (!isOfType(read, issuer)) return undefined
    const name = createHash('sha256').update(token).digest('base64url')
    const now = clock.millis()
    const known = verified.get(name)
    if (known && isStillGood(known, issuer, now)) return known.principal
    const expiresAt = await verify(token, read, issuer, sets, now)
    if (expiresAt === undefined) return undefined
    const principal = await principalOf(database, issuer, read.claims)
    if (principal) verified.set(name, { at: now, issuer, expiresAt, principal })
    return principal
  }
}

const isStillGood = ({ at, issuer, expiresAt }: Verified, { id, version }: Issuer, now: number): boolean =>
  issuer.id === id && issuer.version === version && now - at < verifiedForMs && now < expiresAt

/** An identity token is for the client that asked for it, not for us: only the type tells it apart. */
function isOfType({ header }: Unverified, { token_type, algorithms }: Issuer): boolean {
  const { typ, alg } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return false
  const given = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  return token_type === 'at+jwt' ? given === 'at+jwt' : given === undefined || given === 'jwt' || given === 'at+jwt'
}

/** The instant, in milliseconds, at which a token stops being good; undefined for one that is not. */
async function verify(
  token: string,
  { header, claims }: Unverified,
  issuer: Issuer,
  sets: KeySets,
  now: number,
): Promise<number | undefined> {
  const { exp, nbf, iat, sub } = claims
  if (typeof exp !== 'number' || typeof sub !== 'string' || sub === '' || sub.length > 255) return undefined
  // Looked at first, for they cost nothing.
  if (exp * 1000 + skewSeconds * 1000 <= now) return undefined
  for (const begin of [nbf, iat]) {
    if (begin !== undefined && (typeof begin !== 'number' || begin * 1000 - skewSeconds * 1000 > now)) return undefined
  }
  const { kid } = header
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 200)) return undefined
  const keys = await sets.keysOf({ issuer: issuer.issuer, jwksUrl: issuer.jwks_url }, kid)
  if (!keys) return undefined
  try {
    await jwtVerify(token, keys, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: issuer.algorithms,
      clockTolerance: skewSeconds,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'sub'],
    })
    return (exp + skewSeconds) * 1000
  } catch {
    return undefined
  }
}

/** What a verified token may do; undefined for a partner's that names no organisation. */
async function principalOf(
  database: Database,
  issuer: Issuer,
  claims: Readonly<Record<string, unknown>>,
): Promise<Principal | undefined> {
  const { tenant_id: tenantId, id, signs_in, scopes_claim, organisations_claim } = issuer
  const subject = `${id}/${claims['sub'] as string}`
  const asked = scopes_claim === null ? undefined : new Set(wordsOf(claims[scopes_claim]))
  const scopes = issuer.scopes.filter((scope) => asked === undefined || asked.has(scope)) as Scope[]
  const actor = { type: 'token', id: subject } as const
  const expiresAt = instantOf(claims['exp'] as number)
  const base = { tenantId, keyId: uuidOf(subject, id), actor, scopes, expiresAt }
  if (signs_in === 'staff') return { ...base, organisations: null }
  const named = wordsOf(claims[organisations_claim ?? '']).slice(0, 100)
  const organisations = await organisationsOf(database, issuer, named)
  return organisations.length > 0 ? { ...base, organisations } : undefined
}

/** A NumericDate (RFC 7519) as an instant; null for one beyond all instants that there are. */
const instantOf = (seconds: number): string | null =>
  seconds * 1000 < Date.UTC(10_000, 0) ? new Date(seconds * 1000).toISOString() : null

/** A claim that is a list, or a text of words. */
function wordsOf(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((word): word is string => typeof word === 'string')
  return typeof claim === 'string' ? claim.split(' ').filter(Boolean) : []
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

async function organisationsOf(database: Database, issuer: Issuer, named: readonly string[]): Promise<string[]> {
  const { tenant_id: tenantId, organisations_system: system } = issuer
  if (system === null) return named.map((id) => id.toLowerCase()).filter((id) => uuidForm.test(id))
  if (named.length === 0) return []
  return database.read({ tenantId, organisations: null }, async (tx) => {
    const rows = await tx.db
      .selectFrom('external_refs')
      .select('resource_id')
      .where('tenant_id', '=', tenantId)
      .where('resource_type', '=', 'organisation')
      .where('system', '=', system)
      .where('ref_id', 'in', named)
      .execute()
    return rows.map(({ resource_id }) => resource_id)
  })
}
