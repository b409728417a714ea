import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../../core/schemas.ts'
import { callerOf } from '../../platform/auth.ts'
import { changeOne, readById, removeOne, type SliceOptions } from '../../platform/items.ts'
import { byInstant, defineList } from '../../platform/lists.ts'
import { makes, operation } from '../../platform/operation.ts'
import { sendCreated } from '../../platform/resource.ts'
import { createIssuer, removeIssuer, reviseIssuer } from './commands.ts'
import { OidcIssuer, OidcIssuerPatch, OidcIssuerWrite, oidcIssuerSchemas } from './schemas.ts'
import { oidcIssuerResource as resource } from './view.ts'

const tag = 'Sign-in'
const one = 'oidc_issuer'
const scopes = { read: 'admin', write: 'admin' } as const
const refusals = ['duplicate', 'rule_violated'] as const

const list = defineList({
  name: 'oidc_issuers',
  item: OidcIssuer,
  view: resource.view,
  sorts: { created_at: byInstant('created_at') },
  defaultSort: 'created_at',
  filters: {},
})

/** The issuers whose access tokens are believed. A change counts within a second on every process. */
export const oidcIssuers: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of oidcIssuerSchemas) app.addSchema(schema)
  app.addSchema(list.page)

  app.get(
    '/oidc-issuers',
    operation({
      id: 'list_oidc_issuers',
      scope: scopes.read,
      tag,
      summary: 'List issuers',
      query: list.query,
      answers: {
        200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => list.send(slice.database, request, reply),
  )

  app.post(
    '/oidc-issuers',
    operation({
      id: 'create_oidc_issuer',
      scope: scopes.write,
      tag,
      summary: 'Believe the access tokens of an issuer',
      description:
        'From now on its tokens for the audience are good: signed by a key of its own set, of the type and with an ' +
        'algorithm named here, in their time give or take a minute. `sub` tells who acts. Keys are asked for when a token ' +
        'has a new one, at most twice a minute, and kept for a day while the issuer does not answer.',
      body: ref(OidcIssuerWrite),
      answers: { 201: makes(ref(OidcIssuer), 'The issuer') },
      refusals,
    }),
    async (request, reply) => {
      const outcome = await slice.database.write(callerOf(request, slice.clock), (tx) => createIssuer(tx, request.body))
      return sendCreated(reply, resource.path, outcome)
    },
  )
  readById(app, slice, { resource, tag, one, scopes, wire: OidcIssuer })
  changeOne(app, slice, {
    resource,
    tag,
    one,
    scopes,
    wire: OidcIssuer,
    write: OidcIssuerWrite,
    patch: OidcIssuerPatch,
    refusals,
    commands: { revise: reviseIssuer },
  })
  removeOne(app, slice, {
    resource,
    tag,
    one,
    scopes,
    description: 'Its tokens stop working within a second on every process.',
    refusesRemoval: [],
    commands: { remove: removeIssuer },
  })
}
