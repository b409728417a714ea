import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Outbound } from '../outbound.ts'

/** How old a key set may be before it is asked for anew; while that fails it is kept. */
const freshForMs = 600_000
/** A key set that cannot be had anew is believed this long. */
const keptForMs = 24 * 3_600_000
/** A token with a key that is not known asks for the key set at most this often. */
const askedEveryMs = 30_000
const keptSets = 1000

interface KeySet {
  find: JWTVerifyGetKey | undefined
  kids: ReadonlySet<string | undefined>
  at: number
  askedAt: number
  asking: Promise<void> | undefined
}

export interface KeySets {
  /**
   * The keys of an issuer, with the one of this id where the issuer has it; undefined where they were never had, or not
   * for too long.
   */
  keysOf(
    source: { issuer: string; jwksUrl: string | null },
    kid: string | undefined,
  ): Promise<JWTVerifyGetKey | undefined>
}

/** Keeps the key sets of issuers: through their outages, and without asking more than they bear. */
export function keySets(
  outbound: Pick<Outbound, 'get'>,
  onError: (error: Error) => void,
  now = () => performance.now(),
): KeySets {
  const sets = new Map<string, KeySet>()

  async function fetchKeys({ issuer, jwksUrl }: { issuer: string; jwksUrl: string | null }): Promise<JSONWebKeySet> {
    const url = jwksUrl ?? (await discovered(issuer))
    const keys = (await jsonOf(url)) as Partial<JSONWebKeySet>
    if (!Array.isArray(keys.keys)) throw new Error(`${url} is no key set`)
    // Symmetric keys have no place in a public set.
    return { keys: keys.keys.filter(({ kty }) => kty !== 'oct') }
  }

  async function discovered(issuer: string): Promise<string> {
    const metadata = (await jsonOf(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)) as {
      issuer?: unknown
      jwks_uri?: unknown
    }
    if (metadata.issuer !== issuer) throw new Error(`${issuer} calls itself ${String(metadata.issuer)}`)
    if (typeof metadata.jwks_uri !== 'string') throw new Error(`${issuer} names no key set`)
    return metadata.jwks_uri
  }

  async function jsonOf(url: string): Promise<unknown> {
    const { status, body } = await outbound.get(url, AbortSignal.timeout(5000))
    if (status !== 200) throw new Error(`${url} answers ${status}`)
    return JSON.parse(body)
  }

  function ask(set: KeySet, source: { issuer: string; jwksUrl: string | null }): Promise<void> {
    set.askedAt = now()
    set.asking ??= fetchKeys(source)
      .then((keys) => {
        set.find = createLocalJWKSet(keys)
        set.kids = new Set(keys.keys.map(({ kid }) => kid))
        set.at = now()
      })
      .catch((error: Error) => onError(error))
      .finally(() => {
        set.asking = undefined
      })
    return set.asking
  }

  return {
    async keysOf(source, kid) {
      const name = JSON.stringify([source.issuer, source.jwksUrl])
      const set = sets.get(name) ?? {
        find: undefined,
        kids: new Set(),
        at: Number.NEGATIVE_INFINITY,
        askedAt: Number.NEGATIVE_INFINITY,
        asking: undefined,
      }
      sets.delete(name)
      sets.set(name, set)
      if (sets.size > keptSets) sets.delete(sets.keys().next().value as string)
      const mayAsk = now() - set.askedAt >= askedEveryMs
      const isKept = now() - set.at < keptForMs
      const isKnown = isKept && (kid === undefined || set.kids.has(kid))
      // Whoever must wait, waits with all the others for the one question; a good key does not wait for a fresh set.
      if (!isKnown && (mayAsk || set.asking)) await (set.asking ?? ask(set, source))
      else if (isKnown && mayAsk && now() - set.at >= freshForMs) void ask(set, source)
      return now() - set.at < keptForMs ? set.find : undefined
    },
  }
}
