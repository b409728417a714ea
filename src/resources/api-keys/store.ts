import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import type { NewKey } from '../../db/tenants.ts'
import type { ApiKeyWrite } from './schemas.ts'

export async function apiKeyInsert(tx: Tx, id: string, made: NewKey, write: ApiKeyWrite): Promise<void> {
  await tx.db
    .insertInto('api_keys')
    .values({
      tenant_id: tx.tenantId,
      id,
      created_at: tx.now,
      updated_at: tx.now,
      name: write.name,
      prefix: made.prefix,
      secret_hash: made.secretHash,
      scopes: write.scopes,
      organisation_ids: write.organisation_ids ?? [],
      allowed_addresses: write.allowed_addresses ?? [],
      expires_at: write.expires_at ?? null,
    })
    .execute()
}

/** Gives a key another secret; the one before opens until an instant, or no longer. The public part stays. */
export async function apiKeyRotate(
  tx: Tx,
  id: string,
  secretHash: Buffer,
  previousUntil: string | null,
): Promise<void> {
  await tx.db
    .updateTable('api_keys')
    .set((eb) => ({
      secret_hash: secretHash,
      previous_secret_hash: previousUntil === null ? null : eb.ref('secret_hash'),
      previous_valid_until: previousUntil,
      updated_at: tx.now,
      version: sql`version + 1`,
    }))
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}

export async function apiKeyRevoke(tx: Tx, id: string): Promise<void> {
  await tx.db
    .updateTable('api_keys')
    .set({ revoked_at: tx.now, updated_at: tx.now, version: sql`version + 1` })
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '=', id)
    .execute()
}
