import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { Type } from 'typebox'
import { authentication } from '../src/platform/auth.ts'
import { guessLimit } from '../src/platform/limits.ts'
import { collectMethods } from '../src/platform/methods.ts'
import { operation } from '../src/platform/operation.ts'

// An app that would let somebody in by mistake does not start.

async function start(v1: (app: FastifyInstance) => void, root: (app: FastifyInstance) => void = () => {}) {
  const app = Fastify()
  collectMethods(app)
  root(app)
  await app.register(
    async (below) => {
      await below.register(guessLimit, { requestsPerMinute: 100 })
      await below.register(authentication, {
        authenticate: async () => ({
          tenantId: 't',
          keyId: 'k',
          actor: { type: 'api_key', id: 'k' },
          scopes: ['organisations:read'],
          organisations: null,
          expiresAt: null,
        }),
        noteDenial: async () => {},
        resourceMetadata: 'http://127.0.0.1/.well-known/oauth-protected-resource',
      })
      v1(below)
    },
    { prefix: '/v1' },
  )
  await app.ready()
  return app
}

const handler = async () => ({})
const answers = { 200: { description: 'ok', schema: Type.Object({}) } }
const options = { id: 'get_it', scope: 'organisations:read', tag: 'T', summary: 'S', answers } as const

t.test('an operation as it should be starts, and asks for its scope', async (t) => {
  const app = await start((v1) => {
    v1.get('/it', operation(options), handler)
    v1.get('/other', operation({ ...options, id: 'other', scope: 'organisations:write' }), handler)
  })
  t.equal((await app.inject('/v1/it')).statusCode, 200)
  t.not((await app.inject('/v1/other')).statusCode, 200)
  await app.close()
})

t.test('a route below /v1 without an operation', async (t) => {
  await t.rejects(
    start((v1) => void v1.get('/it', handler)),
    /GET \/v1\/it declares no operation/,
  )
})

t.test('an operation without a name, or with the name of another', async (t) => {
  await t.rejects(
    start((v1) => void v1.get('/it', operation({ ...options, id: '' }), handler)),
    /no operation id/,
  )
  await t.rejects(
    start((v1) => {
      v1.get('/it', operation(options), handler)
      v1.get('/that', operation(options), handler)
    }),
    /Two operations are called get_it/,
  )
})

t.test('an operation without a scope', async (t) => {
  const { scope: _scope, ...rest } = options
  await t.rejects(
    start((v1) => void v1.get('/it', operation(rest as typeof options), handler)),
    /get_it declares no scope/,
  )
})

t.test('an operation with a scope where nobody asks for it', async (t) => {
  await t.rejects(
    start(
      () => {},
      (app) => void app.get('/it', operation(options), handler),
    ),
    /get_it has a scope, but nothing asks for it there/,
  )
})
