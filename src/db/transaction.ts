import type { ReadTx } from './builder.ts'
import type { Reader } from './sessions.ts'

/** Who acts, as events and histories keep it. */
export interface Actor {
  type: 'api_key' | 'token' | 'respondent' | 'system' | 'unknown'
  id: string | null
}

/** On whose behalf work is done: facts about one request, or one job. */
export interface Caller extends Reader {
  readonly actor: Actor
  /** What the credential may do, for the rules that ask more than the operation does. */
  readonly scopes: readonly string[]
  readonly requestId: string
  /** The instant of the request: everything that it writes carries it. */
  readonly now: string
  /** Decides whether the transaction is done at all, and keeps its answer beside its effect. */
  readonly guard?: Guard | null
  /** The first work of the transaction for who may lose meanwhile what the request was let in for; throws where it has. */
  readonly judge?: ((tx: Tx) => Promise<void>) | null
}

/** Stands around the one transaction of a request: see idempotency. */
export interface Guard {
  /** The first work of the transaction; throws where there shall be no other. */
  enter(tx: Tx): Promise<void>
  /** Takes the transaction over when its work is done. It stays open until the guard ends it. */
  hold(held: HeldTx): void
  /** Notes a scope that the request needed, and had, beyond that of its operation. */
  needed(scope: string): void
  /** Adds to what the request is known by: the digest of a body that was read as a stream. */
  addContent(digest: Buffer): void
}

/** A transaction whose work is done and which waits for its end. */
export interface HeldTx {
  /** Does a last work and commits, in one round trip. */
  commit(last: (tx: Tx) => Promise<void>): Promise<void>
  rollback(): Promise<void>
}

/** A change that is told of later, by whoever works through many rows in one transaction. */
export interface GatheredChange {
  resource: object
  id: string
  verb: string
  changed: readonly string[]
  /** The request that made it, where that is not the transaction's own. */
  requestId?: string
  /** Takes what the change left behind, where somebody waits for it. */
  outcome?: object
}

/** One transaction of one tenant. What writes to the database takes it first. */
export interface Tx extends ReadTx, Caller {
  /**
   * Takes the changes of one row of many, in place of their events. What is refused is then done again for that row alone,
   * not for the transaction.
   */
  readonly gather?: (change: GatheredChange) => void
  /** True where rows of a batch are worked through beside each other: see together.ts. */
  readonly isTogether?: boolean
  /** Work for the very end: sent together with the commit in one round trip, in the order given. */
  atCommit(work: () => Promise<void>): void
}
