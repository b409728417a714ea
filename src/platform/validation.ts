import type { Ajv as AjvType, ErrorObject } from 'ajv'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type Fault, Faults, Problem } from '../core/problem.ts'
import { linePattern } from '../core/schemas.ts'

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

/** One problem that names every fault of a request's body, path or query. */
export function problemOf(errors: readonly ErrorObject[], part: string): Problem {
  const faults = errors.flatMap((error) => faultOf(error, part))
  const unique = [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.code} ${fault.detail}`, fault])).values()]
  const detail =
    unique.length === 1 && unique[0]
      ? `${unique[0].pointer || 'The body'}: ${unique[0].detail}`
      : `${unique.length} faults; each is named in errors.`
  return new Problem('invalid_request', detail, { errors: unique })
}

const escapePointer = (name: string): string => name.replace(/~/g, '~0').replace(/\//g, '~1')

function faultOf(error: ErrorObject, part: string): Fault[] {
  const at = (pointer: string) => (part === 'body' ? pointer : `?${pointer.slice(1)}`)
  const { keyword, instancePath: path, params } = error
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const what = part === 'body' ? 'member' : 'parameter'
      return [
        {
          pointer: at(`${path}/${escapePointer(name)}`),
          code: 'unknown',
          detail: `There is no ${what} "${name}" here.`,
        },
      ]
    }
    case 'required': {
      const name = String(params['missingProperty'])
      return [{ pointer: at(`${path}/${escapePointer(name)}`), code: 'required', detail: `"${name}" is required.` }]
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ')
      const given = typeof error.data === 'string' ? `"${error.data.slice(0, 60)}" is not known here. ` : ''
      return [{ pointer: at(path), code: 'enum', detail: `${given}Must be one of ${allowed}.` }]
    }
    case 'type': {
      const types = [params['type']].flat().join(' or ')
      return [{ pointer: at(path), code: 'type', detail: `Must be of type ${types}.` }]
    }
    case 'discriminator': {
      const { tag, tagValue } = params as { tag: string; tagValue: unknown }
      const detail = `Says which form this has; ${JSON.stringify(tagValue) ?? 'nothing'} is none of those in the contract.`
      return [{ pointer: at(`${path}/${tag}`), code: keyword, detail }]
    }
    case 'propertyNames':
      return [
        { pointer: at(path), code: keyword, detail: `The name "${params['propertyName']}" may not be used here.` },
      ]
    // The branches of a union report for themselves.
    case 'if':
    case 'anyOf':
    case 'oneOf':
      return error.message ? [{ pointer: at(path), code: keyword, detail: `${capital(error.message)}.` }] : []
    case 'pattern':
      return [{ pointer: at(path), code: keyword, detail: formOf(error) }]
    default:
      return [{ pointer: at(path), code: keyword, detail: `${capital(error.message ?? 'Is not valid')}.` }]
  }
}

/** What form a text should have, in the words of the contract rather than as a pattern where it has any. */
function formOf({ params, parentSchema }: ErrorObject): string {
  if (params['pattern'] === linePattern) return 'Must be text that neither begins nor ends with white space.'
  const { description, examples } = (parentSchema ?? {}) as { description?: string; examples?: unknown[] }
  const example = examples?.length ? `, such as ${JSON.stringify(examples[0])}` : ''
  return `Has not the form that is needed here: ${description ?? `the pattern ${params['pattern']}`}${example}.`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

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
