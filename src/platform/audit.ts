import type { FastifyRequest } from 'fastify'
import type { Clock } from '../core/clock.ts'
import type { Actor, Database } from '../db/database.ts'

/** What is noted beside changes, which the database notes by itself with their events. */
export interface AccessEntry {
  tenantId: string
  /** `denial`: a credential was refused. `disclosure`: what was shown is to be accounted for. */
  category: 'denial' | 'disclosure'
  action: 'sign_in.failed' | 'access.denied' | 'personal_data.read' | 'export.read'
  actor: Actor
  resource?: { type: string; id: string }
  operation: string
  requestId: string
  /** Never what a person is called, and never a secret. */
  details: Readonly<Record<string, unknown>>
}

/** Notes that a credential was refused; of many alike, one a minute with the count of the others. */
export type NoteDenial = (
  about: Omit<AccessEntry, 'category' | 'requestId' | 'operation'>,
  request: FastifyRequest,
) => Promise<void>

/** A refusal is noted at most this often for the same credential, operation and action. */
const denialEveryMs = 60_000
const keptDenials = 10_000

/** Adds an entry that is not about a change. */
export async function noteAccess(database: Database, clock: Clock, entry: AccessEntry): Promise<void> {
  await database.outside({
    name: 'audit_access',
    text: 'select audit_access($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    values: [
      entry.tenantId,
      clock.now(),
      entry.category,
      entry.action,
      entry.resource?.type ?? null,
      entry.resource?.id ?? null,
      JSON.stringify(entry.actor),
      entry.requestId,
      entry.operation,
      JSON.stringify(entry.details),
    ],
  })
}

/** Lets one of many like denials through, and says how many were held back before it. */
function denialGate() {
  const last = new Map<string, { at: number; suppressed: number }>()
  return (name: string, now: number): { suppressed: number } | undefined => {
    const known = last.get(name)
    if (known && now - known.at < denialEveryMs) {
      known.suppressed += 1
      return undefined
    }
    last.delete(name)
    last.set(name, { at: now, suppressed: 0 })
    if (last.size > keptDenials) last.delete(last.keys().next().value as string)
    return { suppressed: known?.suppressed ?? 0 }
  }
}

/** Says how refused credentials are noted. */
export function denialNotes(database: Database, clock: Clock): NoteDenial {
  const gate = denialGate()
  return async (about, request) => {
    const operation = request.routeOptions.config.operation?.id ?? ''
    const { tenantId, actor, resource, action } = about
    const through = gate(JSON.stringify([tenantId, actor.id, resource?.id, action, operation]), clock.millis())
    if (!through) return
    const details = { ...about.details, address: request.ip, suppressed: through.suppressed }
    try {
      await noteAccess(database, clock, { ...about, category: 'denial', operation, requestId: request.id, details })
    } catch (err) {
      // The refusal stands, whether it could be noted or not.
      request.log.error({ err }, 'a refused credential could not be noted')
    }
  }
}
