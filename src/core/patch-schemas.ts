import { type TObject, type TSchema, Type } from 'typebox'
import { componentOf, idOf } from './schemas.ts'

/** What JSON Schema has of a schema, as far as patches look at it. */
interface Schema {
  $id?: string
  $ref?: string
  type?: string | readonly string[]
  enum?: readonly unknown[]
  anyOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  properties?: Readonly<Record<string, Schema>>
  required?: readonly string[]
  additionalProperties?: boolean | Schema
  default?: unknown
  description?: string
  examples?: readonly unknown[]
  [keyword: string]: unknown
}

const asPatch = 'A JSON Merge Patch (RFC 7396): absent leaves alone, null clears'

/** The patches of the objects that records hold, by name: components that several patches have in common. */
const parts = new Map<string, TSchema>()
export const patchParts = (): TSchema[] => [...parts.values()]

/**
 * The merge patch of a writable schema (RFC 7396): every member may be left out, and null clears those that a record may
 * be without. What the result may be is checked against the writable schema itself.
 */
export const patchOf = (schema: TObject, name: string, options: object = {}) =>
  Type.Unsafe<object>({
    $id: name,
    ...mergeable(schema as object as Schema),
    minProperties: 1,
    description: asPatch,
    ...options,
  })

/** An object whose members are merged, of one shape or of several. */
function mergeable(schema: Schema): Schema {
  const shapes = schema.oneOf?.map(followed) ?? [schema]
  const names = new Set(shapes.flatMap(({ properties }) => Object.keys(properties ?? {})))
  const members = [...names].map((name): [string, Schema] => {
    const isNeeded = shapes.every(({ required }) => required?.includes(name))
    const forms = shapes.flatMap(({ properties }): Schema[] => (properties?.[name] ? [properties[name]] : []))
    return [name, patchMember(name, together(forms), isNeeded)]
  })
  const { additionalProperties, propertyNames } = shapes[0] as Schema
  const isMap = typeof additionalProperties === 'object'
  return {
    type: 'object',
    ...(members.length > 0 ? { properties: Object.fromEntries(members) } : {}),
    ...(propertyNames ? { propertyNames } : {}),
    additionalProperties: isMap ? withNull(additionalProperties) : (additionalProperties ?? true),
  }
}

const followed = (schema: Schema): Schema => (schema.$ref ? (componentOf(schema.$ref) as Schema) : schema)

/** A member that several shapes have: in each it may have codes of its own. */
function together(forms: readonly Schema[]): Schema {
  const [first = {}] = forms
  if (new Set(forms.map((form) => JSON.stringify(form))).size === 1) return first
  if (forms.every((form) => form.enum)) return { ...first, enum: forms.flatMap((form) => form.enum ?? []) }
  return { anyOf: forms }
}

function patchMember(name: string, member: Schema, isNeeded: boolean): Schema {
  const { default: fallback, ...known } = withoutNull(member)
  // Records have no member of that name: it stands in the place of another, and is given as a whole.
  const part = name.endsWith('_ref') ? known : patchPart(known)
  if (isNeeded) return part
  if (fallback === undefined) return withNull(part)
  return withNull({ ...part, description: sentences(known.description, `Null: ${JSON.stringify(fallback)}`) })
}

/** Objects merge; everything else is replaced as a whole. */
function patchPart(part: Schema): Schema {
  const schema = followed(part)
  if (schema.type !== 'object') return part
  if (!part.$ref) return { ...part, ...mergeable(part) }
  const name = `${idOf(schema as TSchema).replace(/Write$/, '')}Patch`
  if (!parts.has(name)) {
    const { examples } = schema
    const description = sentences(schema.description, asPatch)
    parts.set(
      name,
      Type.Unsafe<object>({ $id: name, ...mergeable(schema), description, ...(examples && { examples }) }),
    )
  }
  return { ...part, $ref: `${name}#` }
}

const sentences = (...all: (string | undefined)[]): string =>
  all.flatMap((one) => one?.replace(/\.$/, '') ?? []).join('. ')

const isNull = ({ type }: Schema): boolean => type === 'null'

function withoutNull(schema: Schema): Schema {
  const { anyOf, type, enum: values } = schema
  if (anyOf?.some(isNull)) {
    const { anyOf: _anyOf, ...around } = schema
    const others = anyOf.filter((one) => !isNull(one))
    return others.length === 1 ? { ...others[0], ...around } : { ...around, anyOf: others }
  }
  if (!Array.isArray(type)) return schema
  const types = type.filter((one) => one !== 'null')
  return {
    ...schema,
    type: types.length === 1 ? (types[0] as string) : types,
    ...(values ? { enum: values.filter((value) => value !== null) } : {}),
  }
}

function withNull(schema: Schema): Schema {
  const { type, enum: values, anyOf, $ref, ...around } = schema
  if ($ref) return { ...around, anyOf: [{ $ref }, { type: 'null' }] }
  if (anyOf) return { ...around, anyOf: [...anyOf, { type: 'null' }] }
  return { ...around, type: [type ?? [], 'null'].flat() as string[], ...(values ? { enum: [...values, null] } : {}) }
}
