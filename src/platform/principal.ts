import type { Actor } from '../db/database.ts'

/** Who calls: a verified credential. */
export interface Principal {
  tenantId: string
  /** What its uses are counted and its keys are kept by. */
  keyId: string
  actor: Actor
  scopes: readonly string[]
  /** The organisations that a partner's credential is bound to; null for the tenant's own. */
  organisations: readonly string[] | null
}
