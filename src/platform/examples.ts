type Json = Record<string, unknown>

/** A schema of the published document, as far as examples need it. */
interface Schema extends Json {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  examples?: unknown[]
  default?: unknown
  format?: string
  pattern?: string
  minItems?: number
  minProperties?: number
  minimum?: number
  additionalProperties?: boolean | Schema
}

const byFormat: Record<string, string> = {
  uuid: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b',
  date: '2026-03-01',
  'date-time': '2026-03-01T12:00:00.123456Z',
  email: 'f.devries@example.org',
  uri: 'https://example.org',
}

/** Texts that say something else than words of a person, by the name of their member. */
const byName: Record<string, string> = {
  base_currency: 'EUR',
  changed: 'importance',
  code: 'required',
  countries: 'NL',
  country: 'NL',
  currency: 'EUR',
  email: 'f.devries@example.org',
  evaluation_interval: 'P1Y',
  evidence_url: 'https://example.org/report',
  from_system: 'salesforce',
  glide_number: 'FL-2026-000042-NLD',
  hash: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
  jwks_url: 'https://login.example.org/keys',
  issuer: 'https://login.example.org',
  language: 'nl',
  languages: 'nl',
  next_cursor: 'eyJ2IjoxfQ',
  notice_period: 'P3M',
  operation: 'update_objective',
  phone: '+31 20 555 0100',
  pointer: '/name',
  preferred_language: 'nl',
  previous_hash: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
  request_id: '8e03978e-40d5-43e8-bc93-6894a57f9324',
  resource_type: 'objective',
  sdg_targets: '4.1',
  system: 'salesforce',
  time_zone: 'Europe/Amsterdam',
  type: 'partnership.activated',
  types: 'partnership.activated',
  url: 'https://crm.example.org/hooks/beide',
  website: 'https://example.org',
}

/** `whole` shows every member, as an answer has them; else members that may be left out are, unless they say an example. */
interface Style {
  whole: boolean
  schemas: Record<string, Schema>
}

/** An example of what a schema lets through, put together from the examples, codes and defaults of its parts. */
export function exampleOf(schema: Schema, style: Style, name = ''): unknown {
  const { $ref, examples, anyOf, oneOf, allOf } = schema
  if (examples !== undefined && examples.length > 0) return examples[0]
  if ($ref !== undefined) return exampleOf(style.schemas[$ref.replace('#/components/schemas/', '')] ?? {}, style, name)
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined && !style.whole) return schema.default
  if (schema.enum) return schema.enum[0]
  const branch = (oneOf ?? anyOf)?.[0]
  if (branch) {
    const chosen = exampleOf(branch, style, name)
    return schema.properties ? { ...(objectOf(schema, style) as Json), ...(chosen as Json) } : chosen
  }
  if (allOf) return Object.assign({}, ...allOf.map((part) => exampleOf(part, style)))
  return byType(schema, style, name)
}

function byType(schema: Schema, style: Style, name: string): unknown {
  switch ([schema.type].flat()[0]) {
    case 'object':
      return objectOf(schema, style)
    case 'array':
      return style.whole || (schema.minItems ?? 0) > 0
        ? Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () => exampleOf(schema.items ?? {}, style, name))
        : []
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return byFormat[schema.format ?? ''] ?? byName[name] ?? 'Samen sterk'
  }
}

function objectOf({ properties = {}, required = [], minProperties = 0 }: Schema, style: Style): unknown {
  const members = Object.entries(properties)
  const shown = members.filter(
    ([name, member]) => style.whole || required.includes(name) || member.examples !== undefined,
  )
  // Where none of the members must be there, but one at least: the first.
  const chosen = shown.length < minProperties ? members.slice(0, minProperties) : shown
  const inner = chosen === shown ? style : { ...style, whole: true }
  return Object.fromEntries(chosen.map(([name, member]) => [name, exampleOf(member, inner, name)]))
}

interface Media {
  schema?: Schema
  examples?: Json
  /** Where the schema itself, not a component, says one. */
  example?: unknown
}

/** Gives every JSON body of the document, asked and answered, its example; those of components stand there once. */
export function addExamples(document: Json): void {
  const components = document['components'] as { schemas: Record<string, Schema>; examples?: Json }
  const examples: Json = {}
  const add = (media: Media | undefined, whole: boolean): void => {
    if (!media?.schema) return
    const style = { whole, schemas: components.schemas }
    const name = media.schema.$ref?.replace('#/components/schemas/', '')
    const value = media.example ?? exampleOf(media.schema, style)
    delete media.example
    if (name === undefined) {
      media.examples = { example: { value } }
      return
    }
    examples[name] = { value }
    media.examples = { example: { $ref: `#/components/examples/${name}` } }
  }
  for (const path of Object.values(document['paths'] as Record<string, Record<string, Json>>)) {
    for (const operation of Object.values(path)) {
      const asked = (operation['requestBody'] as { content: Record<string, Media> } | undefined)?.content ?? {}
      for (const media of Object.values(asked)) add(media, false)
      for (const answer of Object.values(
        operation['responses'] as Record<string, { content?: Record<string, Media> }>,
      )) {
        for (const [type, media] of Object.entries(answer.content ?? {})) {
          if (type === 'application/json') add(media, true)
        }
      }
    }
  }
  components.examples = Object.fromEntries(Object.entries(examples).sort(([a], [b]) => (a < b ? -1 : 1)))
}
