import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

// The published contract, which every answer that a test gets is checked against.

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
export type Json = any

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Json
  text: string
  etag: string
}

/** Where the run tells its test files in which file the contract stands. */
export const documentVariable = 'BEIDE_TEST_DOCUMENT'

/** @throws where an answer is not what the contract says */
export type Check = (method: string, path: string, answer: Answer) => void

let known: { document: Json; check: Check } | undefined

/** The contract as the code has it, read once in each test file; what its operations share stands in each. */
export function contract(): { document: Json; check: Check } {
  if (known) return known
  const file = process.env[documentVariable]
  if (!file) throw new Error('Tests need the contract: start them with `npm test`.')
  const document = followed(JSON.parse(readFileSync(file, 'utf8')))
  known = { document, check: checkOf(document) }
  return known
}

/** A document whose operations have their parameters, answers and header fields in themselves: schemas stay components. */
export function followed(document: Json): Json {
  const follow = (part: Json): Json => {
    if (typeof part !== 'object' || part === null) return part
    const [, kind, name] = /^#[/]components[/](parameters|responses|headers)[/](.+)$/.exec(part.$ref) ?? []
    if (kind !== undefined) return follow(document.components[kind][name as string])
    if (Array.isArray(part)) return part.map(follow)
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, follow(value)]))
  }
  return { ...document, paths: follow(document.paths) }
}

/**
 * Components as the service itself must keep to them: clients accept members that they do not know, but the service
 * sends none that the contract does not name.
 */
function closed(part: Json): Json {
  if (Array.isArray(part)) return part.map(closed)
  if (typeof part !== 'object' || part === null) return part
  const copy = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)])) as Json
  // Clients take codes that they do not know; the service sends none that it does not list.
  if (copy['x-extensible-enum']) copy.enum = copy['x-extensible-enum']
  const isPlainObject = copy.type === 'object' && copy.properties && copy.additionalProperties === undefined
  const isClosed = isPlainObject && copy.title === undefined
  return isClosed ? { ...copy, additionalProperties: false } : copy
}

/** Checks an answer against the operation of the document that it belongs to: status, media type and body. */
function checkOf(document: Json): Check {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    validateSchema: false,
    // Most checks run a few times: what is spared in making them counts for more than how fast they are.
    inlineRefs: false,
    code: { optimize: false },
  })
  ;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addSchema({ $id: 'contract', components: closed(document.components) })
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>()
  const routes = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
    fixed: template.replace(/\{[^}]+\}/g, '').length,
  }))
  routes.sort((a, b) => b.fixed - a.fixed)

  return (method, path, answer) => {
    const bare = path.split('?')[0] ?? path
    const route = routes.find(({ pattern }) => pattern.test(bare))
    const operation = route && document.paths[route.template][method.toLowerCase()]
    if (!operation) return
    const name = `${method} ${route.template} → ${answer.status}`
    const documented = operation.responses[answer.status]
    if (!documented) throw new Error(`${name} is not in the contract: ${answer.text}`)
    const contents = documented.content as Record<string, { schema: object }> | undefined
    if (!contents) {
      if (answer.text !== '') throw new Error(`${name} has a body, the contract has none`)
      return
    }
    const type = String(answer.headers['content-type']).split(';')[0] ?? ''
    const content = contents[type]
    if (!content) throw new Error(`${name}: ${type} is not in the contract`)
    if (!type.endsWith('json') || type.endsWith('ndjson')) return
    let validate = compiled.get(name)
    if (!validate) {
      const text = JSON.stringify(content.schema).replaceAll('"#/components/', '"contract#/components/')
      validate = ajv.compile(JSON.parse(text))
      compiled.set(name, validate)
    }
    if (route.template === '/v1/events' && answer.status === 200) {
      // Clients take types that they do not know; the service sends none that it does not list.
      const { enum: listed } = document.components.schemas.EventTypeFilter
      const unlisted = answer.body.data.find(({ type }: Json) => !listed.includes(type))
      if (unlisted) throw new Error(`${name}: ${unlisted.type} is not listed in the contract`)
    }
    if (!validate(answer.body))
      throw new Error(`${name} breaks the contract: ${ajv.errorsText(validate.errors)}\n${answer.text}`)
  }
}
