import { newId } from '../../core/ids.ts'
import { Faults, Problem } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { fromKey, makeKey } from '../../db/tenants.ts'
import { record, unchanged } from '../../platform/events.ts'
import { isNetwork } from '../../platform/networks.ts'
import { partnerScopes } from '../../platform/partners/operations.ts'
import type { Outcome } from '../../platform/resource.ts'
import { grants } from '../../platform/scopes.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { checkNamed, organisationsNamed } from '../organisations/read.ts'
import type { ApiKeyWrite, RotateKey } from './schemas.ts'
import { apiKeyInsert, apiKeyRevoke, apiKeyRotate } from './store.ts'
import { apiKeyResource } from './view.ts'

/** Makes a key. @returns its representation, and the key itself, which exists nowhere else */
export async function createApiKey(tx: Tx, write: ApiKeyWrite): Promise<{ outcome: Outcome; key: string }> {
  const faults = new Faults()
  write.scopes.forEach((scope, at) => {
    if (grants(tx.scopes, scope)) return
    faults.add(`/scopes/${at}`, 'beyond_own', `Your own credential does not have ${scope}, so it cannot give it.`)
  })
  if (write.expires_at != null && Date.parse(write.expires_at) <= Date.parse(tx.now)) {
    faults.add('/expires_at', 'in_past', 'A key cannot expire before it is made.')
  }
  write.allowed_addresses?.forEach((network, at) => {
    if (isNetwork(network)) return
    const detail = `"${network}" is no network: write 192.0.2.0/24, 2001:db8::/32, or one address.`
    faults.add(`/allowed_addresses/${at}`, 'network', detail)
  })
  if (write.organisation_ids?.length) await checkPartner(tx, write, write.organisation_ids, faults)
  faults.refuse()
  const id = newId()
  const made = makeKey()
  await apiKeyInsert(tx, id, made, write)
  const changed = ['name', 'prefix', 'scopes', 'organisation_ids', 'allowed_addresses', 'expires_at']
  return { outcome: record(tx, { resource: apiKeyResource, id, verb: 'created', changed }), key: made.key }
}

/** How long two secrets may be good at most. */
const overlapMaxMs = 90 * 86_400_000

/**
 * Gives a key another secret, and lets the old one open for a while, so that clients change over without a gap.
 * @returns its representation, and the key itself, which exists nowhere else
 * @throws Problem `state_forbids` for a key that is revoked or has expired
 */
export async function rotateApiKey(tx: Tx, id: string, write: RotateKey): Promise<{ outcome: Outcome; key: string }> {
  const apiKey = await loadForUpdate(tx, apiKeyResource, id)
  const now = Date.parse(tx.now)
  if (apiKey.revoked_at !== null || (apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= now)) {
    throw new Problem('state_forbids', 'A key that was revoked or has expired gets no new secret: make another key.')
  }
  const until = write.previous_valid_until ?? null
  const faults = new Faults()
  if (until !== null && Date.parse(until) <= now) {
    faults.add(
      '/previous_valid_until',
      'in_past',
      'Give an instant to come, or leave it out: the old secret then ends now.',
    )
  } else if (until !== null && Date.parse(until) - now > overlapMaxMs) {
    faults.add('/previous_valid_until', 'too_late', 'Two secrets are good together for 90 days at most.')
  }
  faults.refuse()
  const made = fromKey(`${apiKey.prefix}_${makeKey().key.split('_')[2]}`)
  await apiKeyRotate(tx, id, made.secretHash, until)
  const changed = ['previous_valid_until']
  return { outcome: record(tx, { resource: apiKeyResource, id, verb: 'rotated', changed }), key: made.key }
}

/** Ends a key for good. Revoking again changes nothing. */
export async function revokeApiKey(tx: Tx, id: string): Promise<Outcome> {
  const apiKey = await loadForUpdate(tx, apiKeyResource, id)
  if (apiKey.revoked_at !== null) return unchanged(tx, apiKeyResource, id)
  await apiKeyRevoke(tx, id)
  return record(tx, { resource: apiKeyResource, id, verb: 'revoked', changed: ['revoked_at'] })
}

/** A partner's key is of organisations that are there, and has only what partners may be given. */
async function checkPartner(tx: Tx, { scopes }: ApiKeyWrite, ids: readonly string[], faults: Faults): Promise<void> {
  scopes.forEach((scope, at) => {
    if (partnerScopes.includes(scope)) return
    const detail = `A partner cannot have ${scope}. It can have: ${partnerScopes.join(', ')}.`
    faults.add(`/scopes/${at}`, 'not_for_partners', detail)
  })
  const found = await organisationsNamed(
    tx,
    ids.map((id) => ({ id })),
  )
  for (const [at, organisation] of found.entries()) {
    checkNamed(organisation, String(ids[at]), `/organisation_ids/${at}`, faults)
  }
}
