import type { Actor, Reader } from '../db/database.ts'

/** Who calls: a verified credential. */
export interface Principal extends Reader {
  /** What its uses are counted and its keys are kept by. */
  keyId: string
  actor: Actor
  scopes: readonly string[]
  /** When the credential, as it was presented, stops working by itself: an instant; null for never. */
  expiresAt: string | null
}
