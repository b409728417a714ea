import { type Static, type TSchema, Type } from 'typebox'

/** Wire schemas that every resource shares. Named ones have an `$id` and become components of the contract. */

type Options = Record<string, unknown>

const named = new Map<string, TSchema>()

/** A named component, typed by the schema that it names. */
export function ref<T extends TSchema>(schema: T) {
  named.set(idOf(schema), schema)
  return Type.Unsafe<Static<T>>({ $ref: `${idOf(schema)}#` })
}

/** The component that a `$ref` names. */
export function componentOf($ref: string): TSchema {
  const component = named.get($ref.replace(/#$/, ''))
  if (!component) throw new Error(`No component goes by ${$ref}`)
  return component
}

export const idOf = (schema: TSchema): string => {
  const id = (schema as { $id?: string }).$id
  if (!id) throw new Error('Only a schema with an $id can be referred to')
  return id
}

/** A closed list of codes. */
export const codes = <const T extends readonly string[]>(values: T, options: Options = {}) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options })

/** A list of codes that grows: a text for generated clients, which then take those that they do not know. */
export const openCodes = (values: readonly string[], options: Options = {}) =>
  Type.String({ ...options, 'x-extensible-enum': values })

/** What may be null: an inline type gets `null` beside its own, a component a union with null. */
export function nullable<T extends TSchema>(schema: T) {
  const inline = schema as { type?: unknown; enum?: readonly unknown[]; $ref?: string }
  if (typeof inline.type !== 'string') {
    return Type.Unsafe<Static<T> | null>({ anyOf: [schema, { type: 'null' }] })
  }
  const { ...copy } = inline
  return Type.Unsafe<Static<T> | null>({
    ...copy,
    type: [inline.type, 'null'],
    ...(inline.enum ? { enum: [...inline.enum, null] } : {}),
  })
}

/** An object that refuses members it does not know. */
export const strictObject = <P extends Record<string, TSchema>>(properties: P, options: Options = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })

export const linePattern = '^\\S(?:[\\s\\S]*\\S)?$'

/** A line of text: not empty, without leading or trailing white space. */
export const line = (maxLength = 200, options: Options = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: linePattern, ...options })

/** A longer text. */
export const prose = (maxLength = 10_000, options: Options = {}) => Type.String({ minLength: 1, maxLength, ...options })

export const uuid = (options: Options = {}) => Type.String({ format: 'uuid', ...options })
export const date = (options: Options = {}) => Type.String({ format: 'date', examples: ['2026-03-01'], ...options })
export const instant = (options: Options = {}) => Type.String({ format: 'date-time', ...options })
export const duration = (options: Options = {}) =>
  Type.String({ pattern: '^P(?=\\d)(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?$', maxLength: 30, examples: ['P6M'], ...options })
export const country = (options: Options = {}) =>
  Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['NL'], ...options })
export const language = (options: Options = {}) =>
  Type.String({
    pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
    maxLength: 35,
    description: 'A language tag (BCP 47)',
    examples: ['nl'],
    ...options,
  })
export const webAddress = (options: Options = {}) =>
  Type.String({ format: 'uri', pattern: '^https?://', maxLength: 2000, examples: ['https://example.org'], ...options })

/** A decimal number as text: exact, without exponent. */
export const decimal = (options: Options = {}) =>
  Type.String({ pattern: '^(0|[1-9]\\d{0,14})(\\.\\d{1,6})?$', examples: ['1250.00'], ...options })

/** What many decimals come to: it has as many digits as that takes. */
export const decimalSum = (options: Options = {}) =>
  Type.String({ pattern: '^(0|[1-9]\\d*)(\\.\\d{1,6})?$', examples: ['1250.00'], ...options })

const currency = () => Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['EUR'] })

export const Money = strictObject(
  {
    amount: decimal({ description: 'A decimal string with at most the minor digits of the currency' }),
    currency: currency(),
  },
  { $id: 'Money', description: 'An amount of money. Amounts are never converted or added over currencies.' },
)

export const MoneySum = Type.Object(
  {
    amount: decimalSum({ description: 'A decimal string with the minor digits of the currency' }),
    currency: currency(),
  },
  { $id: 'MoneySum', description: 'What amounts of one currency come to: it may have more digits than each of them' },
)

export const ExternalRef = strictObject(
  {
    system: Type.String({
      minLength: 1,
      maxLength: 80,
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      examples: ['salesforce'],
    }),
    id: line(200, { examples: ['0015g00000A1b2C'] }),
    url: Type.Optional(nullable(webAddress())),
  },
  { $id: 'ExternalRef', description: 'The id of this record in another system; unique per kind of record and system.' },
)

export const Ref = strictObject(
  { system: Type.String({ minLength: 1, maxLength: 80 }), id: Type.String({ minLength: 1, maxLength: 200 }) },
  { $id: 'Ref', description: 'Names a record by its id in another system, in place of its `…_id`.' },
)

export const Metadata = Type.Unsafe<Record<string, unknown>>({
  $id: 'Metadata',
  type: 'object',
  maxProperties: 50,
  propertyNames: { type: 'string', minLength: 1, maxLength: 40 },
  additionalProperties: true,
  description: "The client's own data: at most 50 keys of 40 characters, 16 KiB in all. It is never interpreted.",
})

export const TextByLanguage = Type.Unsafe<Record<string, string>>({
  $id: 'TextByLanguage',
  type: 'object',
  minProperties: 1,
  maxProperties: 20,
  propertyNames: { type: 'string', pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$' },
  additionalProperties: { type: 'string', minLength: 1, maxLength: 10_000 },
  description: 'A text that people read, by language tag (BCP 47).',
  examples: [{ nl: 'Samen sterk', en: 'Stronger together' }],
})

/** What every record begins with. */
export const recordHead = {
  id: uuid({ description: 'UUIDv7, made by the service' }),
  version: Type.Integer({ minimum: 1, description: 'Grows by one with each change; the ETag' }),
  created_at: instant(),
  updated_at: instant(),
}

/** How many ids in other systems a write may name. */
export const refsMax = 50

/** What every record may carry for its client, as read. */
export const recordTail = {
  external_refs: Type.Array(ref(ExternalRef)),
  metadata: ref(Metadata),
}

/** What every record may carry for its client, as written. */
export const recordTailWrite = {
  // Without a default: an upsert tells a list that was left out from an empty one.
  external_refs: Type.Optional(Type.Array(ref(ExternalRef), { maxItems: refsMax })),
  metadata: Type.Optional(ref(Metadata)),
}

/** A page of a list. */
export const pageOf = <T extends TSchema>(item: T, name: string) =>
  Type.Object(
    {
      data: Type.Array(ref(item)),
      next_cursor: nullable(Type.String({ description: 'Null on the last page' })),
      total: Type.Optional(Type.Integer({ minimum: 0, description: 'Only with include_total=true' })),
    },
    { $id: name, description: 'A page of a list' },
  )

/** Every shared component, in the order of the contract. */
export const sharedSchemas: readonly TSchema[] = [Money, MoneySum, ExternalRef, Ref, Metadata, TextByLanguage]
