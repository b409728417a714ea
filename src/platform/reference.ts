import fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** The document as it is served, and as a page that needs no other server. */
export const reference = fp(
  async (app: FastifyInstance) => {
    app.get('/openapi.json', { schema: { hide: true } as never }, async (_request, reply) => {
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger()))
    })
    let page: Promise<FastifyInstance> | undefined
    for (const url of ['/docs', '/docs/*']) {
      app.get(url, { schema: { hide: true } as never }, async (request, reply) => {
        page ??= referencePage()
        const answer = await (await page).inject({ url: request.url })
        if (answer.statusCode === 404) return reply.callNotFound()
        return reply.code(answer.statusCode).headers(answer.headers).send(answer.rawPayload)
      })
    }
  },
  { name: 'reference', dependencies: ['openapi'] },
)

/** The page, which is loaded when it is first asked for: it is 4 MB of script, which most processes never need. */
async function referencePage(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const app = fastify()
  await app.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Beide API',
      authentication: { preferredSecurityScheme: 'api_key' },
      defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
      // Nothing on the page may lead its readers, or their requests, to another server.
      withDefaultFonts: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
      telemetry: false,
      proxyUrl: '',
    } as never,
  })
  return app
}
