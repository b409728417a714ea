import type { Ajv as AjvType, ErrorObject } from 'ajv'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Faults, Problem } from '../core/problem.ts'
import { escapePointer, problemOf } from './faults.ts'

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
  return ajv
}

type Validate = ((data: unknown) => boolean) & { errors?: ErrorObject[] | null | undefined }

/** Compiles when first asked: most operations of a process, and nearly all in a test, are never called. */
function compiledWhenUsed(ajv: AjvType, schema: object): Validate {
  let compiled: Validate | undefined
  const validate: Validate = (data) => {
    compiled ??= ajv.compile(schema) as Validate
    const isValid = compiled(data)
    validate.errors = compiled.errors
    return isValid
  }
  return validate
}

/**
 * Two compilers for the whole app. Bodies are strict: nothing is coerced, nothing dropped. Parameters arrive as text
 * and are coerced. Both report all faults at once; the limits of body and list sizes bound what that costs.
 */
function validatorsOf() {
  const body = compiler(false)
  const parameters = compiler(true)
  const known = new Set<string>()
  return (schemas: Record<string, object>) => {
    for (const [id, schema] of Object.entries(schemas)) {
      if (known.has(id)) continue
      known.add(id)
      for (const ajv of [body, parameters]) ajv.addSchema(schema)
    }
    return ({ schema, httpPart }: { schema: object; httpPart: string }) =>
      compiledWhenUsed(httpPart === 'body' ? body : parameters, schema)
  }
}

export const validation = fp(
  async (app: FastifyInstance) => {
    app.setSchemaController({
      compilersFactory: {
        buildValidator: validatorsOf() as never,
      },
    })
    app.setSerializerCompiler(() => JSON.stringify)
    app.setSchemaErrorFormatter((errors, part) => problemOf(errors as unknown as ErrorObject[], part))
    takeStrictJson(app)
    splitLists(app)
    allowEmptyBodies(app)
    app.addHook('onRequest', async (request) => {
      if (!request.url.includes('%00')) return
      throw new Problem('invalid_request', 'The address holds the character NUL, which no value may have.')
    })
  },
  { name: 'validation' },
)

/** JSON as RFC 8259 has it: valid UTF-8, no NUL and no half surrogates in texts (Postgres keeps neither). */
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
      if (isDeep(text)) {
        return done(new Problem('invalid_request', `The body is nested deeper than ${depthMax} levels.`))
      }
      parse(request, text, (error, value) => {
        if (error) return done(new Problem('bad_json', `The body cannot be read as JSON: ${reasonOf(text, error)}.`))
        if (/\\u(0000|[dD][89a-fA-F])/.test(text)) {
          const faults = new Faults()
          findUnstorable(value, '', faults)
          if (faults.list.length > 0)
            return done(
              new Problem('invalid_request', 'A text has a character that cannot be kept.', { errors: faults.list }),
            )
        }
        done(null, value)
      })
    },
  )
}

/** No record needs more; what works through a value level by level, here and in Postgres, runs out of stack at thousands. */
const depthMax = 64

/** True where the arrays and objects of a JSON text are nested too deep. */
function isDeep(text: string): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') isInString = !isInString
    else if (isInString) at += character === '\\' ? 1 : 0
    else if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth -= 1
    if (depth > depthMax) return true
  }
  return false
}

/** Where and why the text is not JSON, as the parser of the runtime says it. */
function reasonOf(text: string, error: Error): string {
  try {
    JSON.parse(text)
    return error.message
  } catch (fault) {
    return (fault as Error).message
  }
}

function findUnstorable(value: unknown, pointer: string, faults: Faults): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) faults.add(pointer, 'nul', 'A text may not hold the character NUL.')
    else if (!value.isWellFormed()) faults.add(pointer, 'surrogate', 'A text may not hold half of a surrogate pair.')
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      findUnstorable(key, pointer, faults)
      findUnstorable(member, `${pointer}/${escapePointer(key)}`, faults)
    }
  }
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
