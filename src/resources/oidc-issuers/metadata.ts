import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ref } from '../../core/schemas.ts'
import type { Database } from '../../db/database.ts'
import { operation } from '../../platform/operation.ts'
import { scopes } from '../../platform/scopes.ts'

export const resourceMetadataPath = '/.well-known/oauth-protected-resource'

const ProtectedResource = Type.Object(
  {
    resource: Type.String(),
    authorization_servers: Type.Array(Type.String(), {
      description: 'The issuers that tenants let be named; there may be others',
    }),
    scopes_supported: Type.Array(Type.String()),
    bearer_methods_supported: Type.Array(Type.String()),
    resource_documentation: Type.String(),
  },
  { $id: 'ProtectedResource', description: 'What a client needs to know to get a token (RFC 9728)' },
)

/** Where a client that was refused finds out how to get a token. Needs no credential. */
export const protectedResource: FastifyPluginAsyncTypebox<{ database: Database; publicUrl: string }> = async (
  app,
  { database, publicUrl },
) => {
  app.addSchema(ProtectedResource)
  const resource = publicUrl.replace(/\/$/, '')
  app.get(
    resourceMetadataPath,
    operation({
      id: 'get_protected_resource',
      scope: null,
      tag: 'System',
      summary: 'Read how to get a token',
      answers: { 200: { description: 'The metadata (RFC 9728)', schema: ref(ProtectedResource) } },
    }),
    async (_request, reply) => {
      const rows = await database.outside<{ issuer: string }>({
        name: 'listed_oidc_issuers',
        text: 'select issuer from listed_oidc_issuers()',
      })
      return reply.header('cache-control', 'public, max-age=300').send({
        resource,
        authorization_servers: rows.map(({ issuer }) => issuer),
        scopes_supported: scopes.filter((scope) => scope !== 'admin'),
        bearer_methods_supported: ['header'],
        resource_documentation: `${resource}/docs`,
      })
    },
  )
}
