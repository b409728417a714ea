import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../core/clock.ts'
import type { Database } from '../db/database.ts'
import { noteAccess } from './audit.ts'
import { principalOf } from './auth.ts'
import type { Operation } from './operation.ts'

/** What an operation discloses that is to be accounted for. */
function disclosureOf(operation: Operation | undefined): 'personal_data.read' | 'export.read' | undefined {
  if (operation?.scope === 'personal_data:read') return 'personal_data.read'
  const isFile = Object.values(operation?.answers ?? {}).some(
    ({ mediaType }) => mediaType !== undefined && mediaType !== 'application/json',
  )
  return operation?.scope === 'exports:run' && isFile ? 'export.read' : undefined
}

/** The records in an answer: one, or those of a page. An answer without a body shows none. */
function shownBy(payload: unknown): { id?: string; ids: string[] } {
  if (payload === null || payload === undefined || payload === '') return { ids: [] }
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload))
    throw new Error('Whom an answer shows is read from its JSON')
  const { data, id } = JSON.parse(payload.toString()) as { data?: { id: string }[]; id?: string }
  return id === undefined ? { ids: (data ?? []).map((record) => record.id) } : { id, ids: [id] }
}

/**
 * Notes who was shown persons, and who took an export, before the answer leaves: what cannot be noted is not shown. Of
 * the query only the names are kept where its values may be about a person; where the address does not name the one, the
 * ids of those who were shown. HEAD is noted as GET is, for its header fields tell of the body.
 */
export const disclosures = fp(
  async (app: FastifyInstance, { database, clock }: { database: Database; clock: Clock }) => {
    app.addHook('onRoute', (route) => {
      const action = disclosureOf(route.config?.operation)
      if (action === undefined) return
      route.onSend = [
        // First of all, for what follows takes the body away where the method is HEAD.
        async (request: FastifyRequest, reply: { statusCode: number }, payload: unknown) => {
          if (reply.statusCode >= 300) return payload
          const { tenantId, actor } = principalOf(request)
          const { id: named } = (request.params ?? {}) as { id?: string }
          const type = (route.url.split('/')[2] ?? '').replaceAll('-', '_').replace(/s$/, '')
          const query = (request.query ?? {}) as Record<string, unknown>
          const isPersonal = action === 'personal_data.read'
          const namesTheOne = named !== undefined && type === 'contact'
          const shown = isPersonal && !namesTheOne ? shownBy(payload) : undefined
          if (named === undefined && shown?.ids.length === 0) return payload
          const id = named ?? shown?.id
          await noteAccess(database, clock, {
            tenantId,
            category: 'disclosure',
            action,
            actor,
            ...(id === undefined ? {} : { resource: { type, id } }),
            operation: route.config?.operation?.id ?? '',
            requestId: request.id,
            details: isPersonal
              ? { parameters: Object.keys(query), ...(shown && !shown.id ? { contact_ids: shown.ids } : {}) }
              : { query },
          })
          return payload
        },
        ...[route.onSend ?? []].flat(),
      ]
    })
  },
  { name: 'disclosures', dependencies: ['authentication'] },
)
