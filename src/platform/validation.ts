import type { Ajv as AjvType, ErrorObject } from 'ajv'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import { isDate, isInstant } from '../core/dates.ts'
import { Problem } from '../core/problem.ts'
import { problemOf } from './faults.ts'
import { readJson } from './strict-json.ts'

/** A compiler of schemas that may name the shared ones. */
function compiler(coerceTypes: boolean): AjvType {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    coerceTypes,
    useDefaults: true,
    discriminator: true,
    strictTypes: false,
    allowUnionTypes: true,
    // The published document is checked as a whole by a test. Measured: compiling the schema of schemas for every slice
    // took five sixths of the time that the app needs to start.
    validateSchema: false,
  })
  ajv.addKeyword('example')
  ;(addFormats as unknown as (ajv: AjvType) => void)(ajv)
  // Those of the package take the year 0, and instants that are beyond year 1 or 9999 in UTC.
  ajv.addFormat('date', isDate).addFormat('date-time', isInstant)
  return ajv
}

type Validate = ((data: unknown) => boolean) & { errors?: ErrorObject[] | null | undefined }

/** Compiles when first asked: most operations of a process, and nearly all in a test, are never called. */
function compiledWhenUsed(ajv: AjvType, schema: object, made = new Map<string, Validate>()): Validate {
  let compiled: Validate | undefined
  const compile = () => {
    const text = JSON.stringify(schema)
    const known = made.get(text) ?? (ajv.compile(schema) as Validate)
    made.set(text, known)
    return known
  }
  const validate: Validate = (data) => {
    compiled ??= compile()
    const isValid = compiled(data)
    validate.errors = compiled.errors
    return isValid
  }
  return validate
}

/** A compiler and what it made, by the text of the schema: many operations have one in common. */
const compilerThatKeeps = (coerceTypes: boolean) => ({
  ajv: compiler(coerceTypes),
  made: new Map<string, Validate>(),
})

/**
 * Two compilers for the process, whose apps have the same schemas. Bodies are strict: nothing is coerced, nothing
 * dropped. Parameters arrive as text and are coerced. Both report all faults at once; the limits of body and list sizes
 * bound what that costs.
 */
const body = compilerThatKeeps(false)
const parameters = compilerThatKeeps(true)
const shared = new Set<string>()

function validatorOf(schemas: Record<string, object>) {
  for (const [id, schema] of Object.entries(schemas)) {
    if (shared.has(id)) continue
    shared.add(id)
    for (const { ajv } of [body, parameters]) ajv.addSchema(schema)
  }
  return ({ schema, httpPart }: { schema: object; httpPart: string }): Validate => {
    const { ajv, made } = httpPart === 'body' ? body : parameters
    return compiledWhenUsed(ajv, schema, made)
  }
}

export type Check = (data: unknown) => void

/**
 * Checks of values that do not come as a body of their own, such as rows of a file. `components` are those that the
 * schemas may name. Of CSV, where all is text, numbers and booleans are read as such.
 */
export function checksOf(components: readonly TSchema[], { isText }: { isText: boolean }): (schema: TSchema) => Check {
  const ajv = compiler(isText)
  for (const component of components) ajv.addSchema(component)
  return (schema) => {
    const validate = compiledWhenUsed(ajv, schema)
    return (data) => {
      if (!validate(data)) throw problemOf(validate.errors ?? [], 'body')
    }
  }
}

export const validation = fp(
  async (app: FastifyInstance) => {
    app.setSchemaController({
      compilersFactory: {
        buildValidator: validatorOf as never,
      },
    })
    app.setSerializerCompiler(() => JSON.stringify)
    app.setSchemaErrorFormatter((errors, part) => problemOf(errors as unknown as ErrorObject[], part))
    takeStrictJson(app)
    splitLists(app)
    allowEmptyBodies(app)
    app.addHook('onRequest', async (request) => {
      const encoding = request.headers['content-encoding'] ?? 'identity'
      if (encoding.toLowerCase() !== 'identity' && request.routeOptions.config.operation?.bodyTypes.length) {
        throw new Problem('unsupported_media_type', `Send the body as it is, without the encoding ${encoding}.`)
      }
      if (!request.url.includes('%00')) return
      throw new Problem('invalid_request', 'The address holds the character NUL, which no value may have.')
    })
  },
  { name: 'validation' },
)

/** JSON as RFC 8259 has it: valid UTF-8, each name once, no NUL and no half surrogates in texts. */
function takeStrictJson(app: FastifyInstance): void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) return done(null, undefined)
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
      const types = request.routeOptions.config.operation?.bodyTypes ?? []
      if (types.length > 0 && !types.includes(type)) {
        return done(new Problem('unsupported_media_type', `Send the body as ${types.join(' or ')}.`))
      }
      let text: string
      try {
        text = decoder.decode(body as Buffer)
      } catch (cause) {
        return done(new Problem('bad_json', 'The body is not valid UTF-8.', { cause }))
      }
      try {
        done(
          null,
          readJson(text, (json) => parsed(parse, request, json)),
        )
      } catch (error) {
        done(error as Error)
      }
    },
  )
}

/** The framework's own parser calls back at once; it refuses names that reach into prototypes. */
function parsed(
  parse: ReturnType<FastifyInstance['getDefaultJsonParser']>,
  request: FastifyRequest,
  text: string,
): unknown {
  let read: unknown
  parse(request, text, (error, value) => {
    if (error) throw error
    read = value
  })
  return read
}

/** A body whose members may all be left out may be left out itself. */
function allowEmptyBodies(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const operation = request.routeOptions.config.operation
    if (request.body === undefined && operation?.bodyTypes.length) request.body = {}
  })
}

/** Query parameters that are lists are written with commas: `status=active,paused`. */
function splitLists(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const query = route.schema?.querystring as { properties?: Record<string, { type?: string }> } | undefined
    const lists = Object.entries(query?.properties ?? {}).flatMap(([name, { type }]) =>
      type === 'array' ? [name] : [],
    )
    if (lists.length === 0) return
    const split = async (request: { query: unknown }) => {
      const values = request.query as Record<string, unknown>
      for (const name of lists) {
        if (values[name] !== undefined) values[name] = [values[name]].flat().flatMap((text) => String(text).split(','))
      }
    }
    route.preValidation = [split, ...[route.preValidation ?? []].flat()] as never
  })
}
