import { exampleOf } from '../../src/platform/examples.ts'
import type { Json } from './harness.ts'

const deepest = 8

/** Where bodies of requests name records, however deep, and bodies that name a given one there. */
export function namesOfBodies(schemas: Json) {
  const resolved = (schema: Json): Json => (schema?.$ref ? schemas[schema.$ref.split('/').at(-1)] : schema) ?? {}
  const branches = ({ anyOf = [], oneOf = [], allOf = [] }: Json): Json[] => [...anyOf, ...oneOf, ...allOf]
  const isRef = ({ properties }: Json): boolean => properties?.system !== undefined && properties.id !== undefined

  /**
   * The members of a body that name a record, by id or by a reference of a client's: `parent_id`, `in_return_for[]`,
   * `parties[].organisation_ref`, `changes.commitments[].terms.objective_ids[]`.
   */
  function namesIn(body: Json, at = '', depth = 0): string[] {
    const schema = resolved(body)
    if (depth > deepest) return []
    if (schema.format === 'uuid' || isRef(schema)) return [at]
    const within = Object.entries<Json>(schema.properties ?? {}).flatMap(([name, member]) =>
      namesIn(member, at === '' ? name : `${at}.${name}`, depth + 1),
    )
    const items = schema.items ? namesIn(schema.items, `${at}[]`, depth + 1) : []
    return [...new Set([...within, ...items, ...branches(schema).flatMap((branch) => namesIn(branch, at, depth + 1))])]
  }

  const example = (schema: Json): Json => exampleOf(schema, { whole: false, schemas }) as Json

  function put(body: Json, given: Json | undefined, [step, ...rest]: string[], leaf: unknown): unknown {
    const schema = resolved(body)
    if (step === undefined) return leaf
    const inner = step === '[]' ? schema.items : schema.properties?.[step]
    if (inner === undefined) {
      const path = [step, ...rest].join('.').replaceAll('.[]', '[]')
      const branch = branches(schema).find((one) => namesIn(one).includes(path))
      if (!branch) throw new Error(`No ${path} in ${JSON.stringify(body)}`)
      const isLike = typeof given === 'object' && given !== null
      return put(branch, isLike ? given : example(branch), [step, ...rest], leaf)
    }
    if (step === '[]') return [put(inner, Array.isArray(given) ? given[0] : undefined, rest, leaf)]
    const around: Json = { ...(given ?? example(schema)) }
    // A record is named in one way.
    delete around[step.endsWith('_ref') ? step.replace(/_ref$/, '_id') : step.replace(/_id$/, '_ref')]
    return { ...around, [step]: put(inner, around[step], rest, leaf) }
  }

  /** A body in which a name is the given id, or the given reference. */
  const withName = (given: Json, body: Json, name: string, leaf: unknown): Json =>
    put(body, given, name.replaceAll('[]', '.[]').split('.').filter(Boolean), leaf) as Json

  return { namesIn, withName }
}
