import { isNaming, shownOf } from './fields.ts'

/** A JSON Schema as the contract has it. */
interface Schema {
  $ref?: string
  type?: string | readonly string[]
  properties?: Readonly<Record<string, Schema>>
  required?: readonly string[]
  items?: Schema
  anyOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  enum?: readonly unknown[]
  const?: unknown
}

/** Finds a component of the contract by its name. */
export type Components = (name: string) => Schema | undefined

/** What the reader of a value sees of what it holds. */
export interface Sight {
  /** What stands in the place of a record: itself, an earlier version of it, or nothing. */
  replace(component: string, record: Record<string, unknown>): Record<string, unknown> | undefined
  /** Whether there is a commitment of this id for the reader. */
  sees(commitmentId: string): boolean
}

export type Project = (value: unknown, sight: Sight) => unknown

const asIs: Project = (value) => value
/** What no list of fields speaks of is not shown. */
const nothing: Project = () => undefined

/**
 * A list of commitments, or terms with one, without those that are not there for the reader. What names one by an id in
 * another system goes too: our ids stand beside it.
 */
function thoseSeen(value: unknown, sees: Sight['sees']): unknown {
  if (Array.isArray(value)) return value.filter((id) => typeof id === 'string' && sees(id))
  if (!isObject(value) || !('in_return_for' in value)) return value
  return { ...value, in_return_for: thoseSeen(value['in_return_for'], sees) }
}
const ofThoseSeen: Project = (value, { sees }) => thoseSeen(value, sees)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Makes what partners see of values of a schema, from the lists of fields alone: each component is looked up once. */
export function projections(components: Components): (schema: Schema) => Project {
  const known = new Map<string, Project>()

  function component(name: string): Project {
    const made = known.get(name)
    if (made) return made
    // Noted before it is made, for a component may hold itself.
    known.set(name, (value, sight) => known.get(`made ${name}`)?.(value, sight))
    const schema = components(name)
    const shown = shownOf(name)
    const project = schema && shown ? shape(schema, { shown, path: '', name }) : nothing
    known.set(`made ${name}`, project)
    return project
  }

  function shape(schema: Schema, of: Of): Project {
    const { $ref } = schema
    if ($ref !== undefined) {
      const name = nameOf($ref)
      return (value, sight) => component(name)(value, sight)
    }
    const options = schema.anyOf ?? schema.oneOf
    if (options) return oneOf(options, of)
    if (schema.items) {
      const each = shape(schema.items, of)
      return (value, sight) =>
        Array.isArray(value) ? value.map((item) => each(item, sight)).filter((item) => item !== undefined) : value
    }
    return schema.properties ? members(schema, of) : asIs
  }

  function oneOf(options: readonly Schema[], of: Of): Project {
    const made = options
      .filter(({ type }) => type !== 'null')
      .map((schema) => ({ schema, project: shape(schema, of), type: resolved(schema).properties?.['type'] }))
    return (value, sight) => {
      if (typeof value !== 'object' || value === null) return value
      const chosen =
        made.length === 1
          ? made[0]
          : made.find(({ schema, type }) => {
              const code = (value as { type?: unknown }).type
              return resolved(schema).properties && (!type || type.const === code || type.enum?.includes(code))
            })
      return chosen?.project(value, sight)
    }
  }

  const resolved = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : (components(nameOf(schema.$ref)) ?? {})

  function members(schema: Schema, of: Of): Project {
    const required = new Set(schema.required)
    const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => {
      const path = `${of.path}${name}`
      const isShown = of.shown.has(path)
      const inner = { ...of, path: `${path}.` }
      const project = !isShown ? nothing : isNaming(of.name, path) ? ofThoseSeen : shape(property, inner)
      return { name, isShown, project, empty: required.has(name) ? emptyOf(property) : undefined }
    })
    return (value, sight) => {
      if (!isObject(value)) return value
      const record = of.path === '' ? sight.replace(of.name, value) : value
      if (record === undefined) return undefined
      const entries = properties.flatMap(({ name, isShown, project, empty }): [string, unknown][] => {
        if (!(name in record)) return []
        const shown = isShown ? project(record[name], sight) : empty
        return shown === undefined ? [] : [[name, shown]]
      })
      return Object.fromEntries(entries)
    }
  }

  /** What says nothing and still fits the contract; undefined, and so left out, where there is no such value. */
  function emptyOf(property: Schema): unknown {
    const options = property.anyOf ?? property.oneOf ?? []
    if ([property.type ?? []].flat().includes('null') || options.some(({ type }) => type === 'null')) return null
    const { type, properties } = resolved(property)
    if (type === 'array') return []
    return type === 'object' && !properties ? {} : undefined
  }

  return (schema) => shape(schema, { shown: new Set(), path: '', name: '' })
}

/** The component that a shape is a part of, what of it is shown, and where in it the shape stands. */
interface Of {
  name: string
  shown: ReadonlySet<string>
  path: string
}

const nameOf = ($ref: string): string => $ref.replace(/#$/, '').split('/').at(-1) ?? ''
