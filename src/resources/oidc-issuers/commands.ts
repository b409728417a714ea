import { sql } from 'kysely'
import type { IfMatch } from '../../core/etag.ts'
import { newId } from '../../core/ids.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { record, recordRemoval, unchanged } from '../../platform/events.ts'
import { partnerScopes } from '../../platform/partners/operations.ts'
import type { Outcome } from '../../platform/resource.ts'
import { grants } from '../../platform/scopes.ts'
import { changedMembers, loadForUpdate, type Revision } from '../../platform/writes.ts'
import { type OidcIssuer, type OidcIssuerState, type OidcIssuerWrite, usualAlgorithms } from './schemas.ts'
import { oidcIssuerResource as resource } from './view.ts'

export async function createIssuer(tx: Tx, write: OidcIssuerWrite): Promise<Outcome> {
  const state = checked(tx, write)
  const id = newId()
  await tx.db
    .insertInto('oidc_issuers')
    .values({ tenant_id: tx.tenantId, id, created_at: tx.now, updated_at: tx.now, ...columnsOf(state) })
    .execute()
  return record(tx, { resource, id, verb: 'created', changed: Object.keys(state) })
}

export async function reviseIssuer(
  tx: Tx,
  id: string,
  ifMatch: IfMatch,
  revise: Revision<OidcIssuerWrite>,
): Promise<Outcome> {
  const current = stateOf(await loadForUpdate(tx, resource, id, ifMatch))
  const next = checked(tx, revise(current))
  const changed = changedMembers(current, next)
  if (changed.length === 0) return unchanged(tx, resource, id)
  await tx.db
    .updateTable('oidc_issuers')
    .set({ ...columnsOf(next), updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
  return record(tx, { resource, id, verb: 'updated', changed })
}

export async function removeIssuer(tx: Tx, id: string, ifMatch: IfMatch): Promise<void> {
  const { version } = await loadForUpdate(tx, resource, id, ifMatch)
  await tx.db.deleteFrom('oidc_issuers').where('tenant_id', '=', tx.tenantId).where('id', '=', id).execute()
  recordRemoval(tx, resource, id, version)
}

const columnsOf = (state: OidcIssuerState) => ({ ...state, metadata: JSON.stringify(state.metadata) })

function stateOf({ id: _i, version: _v, created_at: _c, updated_at: _u, ...state }: OidcIssuer): OidcIssuerState {
  return state
}

/** The complete state that a write asks for. @throws Problem that names every rule it breaks */
function checked(tx: Tx, write: OidcIssuerWrite): OidcIssuerState {
  const faults = new Faults()
  const isOfPartners = write.signs_in === 'partners'
  write.scopes.forEach((scope, at) => {
    if (!grants(tx.scopes, scope)) {
      faults.add(`/scopes/${at}`, 'beyond_own', `Your own credential does not have ${scope}, so it cannot give it.`)
    } else if (isOfPartners && !partnerScopes.includes(scope)) {
      const detail = `A partner cannot have ${scope}. It can have: ${partnerScopes.join(', ')}.`
      faults.add(`/scopes/${at}`, 'not_for_partners', detail)
    }
  })
  if (isOfPartners && write.organisations_claim == null) {
    faults.add('/organisations_claim', 'required', 'Name the claim that says whose people partners’ tokens are of.')
  }
  if (!isOfPartners && (write.organisations_claim != null || write.organisations_system != null)) {
    faults.add('/organisations_claim', 'not_for_staff', 'Tokens of your own people are bound to no organisation.')
  }
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    name: write.name,
    issuer: write.issuer,
    audience: write.audience,
    jwks_url: write.jwks_url ?? null,
    token_type: write.token_type ?? 'at+jwt',
    algorithms: [...(write.algorithms ?? usualAlgorithms)],
    signs_in: write.signs_in,
    scopes: write.scopes,
    scopes_claim: write.scopes_claim ?? null,
    organisations_claim: write.organisations_claim ?? null,
    organisations_system: write.organisations_system ?? null,
    is_enabled: write.is_enabled ?? true,
    is_listed: write.is_listed ?? false,
    metadata: write.metadata ?? {},
  }
}
