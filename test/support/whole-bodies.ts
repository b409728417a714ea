import { exampleOf } from '../../src/platform/examples.ts'
import type { Json } from './harness.ts'

/** A body with every member that its schema knows, and where in it others were put. */
export interface WholeBody {
  value: Json
  /** The pointers of the members that were put there beside those of the schema. */
  added: string[]
  /** The pointer and the component, or the schema, of every value in it. */
  parts: { pointer: string; schema: Json; component: string | undefined }[]
  /** The components that stand for the whole of a member, or for one of several that might. */
  chosen: string[]
}

const nameOf = (schema: Json): string | undefined => schema?.$ref?.split('/').at(-1)

/** Bodies of requests with all their members, in each of the shapes that the document lets them have. */
export function wholeBodies(schemas: Json) {
  const resolved = (schema: Json): Json => (schema?.$ref ? schemas[nameOf(schema) as string] : schema) ?? {}

  /** The shapes that a value may have, but for being null. */
  const branchesOf = (schema: Json): Json[] => {
    const { anyOf = [], oneOf = [] } = resolved(schema)
    return [...anyOf, ...oneOf].filter((branch) => resolved(branch)['type'] !== 'null')
  }

  function mostBranches(schema: Json, within: readonly Json[] = []): number {
    if (within.includes(resolved(schema))) return 1
    const { properties = {}, items } = resolved(schema)
    const inner = [...Object.values<Json>(properties), ...(items ? [items] : []), ...branchesOf(schema)]
    const around = [...within, resolved(schema)]
    return Math.max(1, branchesOf(schema).length, ...inner.map((each) => mostBranches(each, around)))
  }

  function whole(schema: Json, turn: number, others: (properties: Json) => string[], pointer: string): WholeBody {
    const component = nameOf(schema)
    const made: WholeBody = {
      value: undefined as unknown as Json,
      added: [],
      parts: [{ pointer, schema, component }],
      chosen: component ? [component] : [],
    }
    const take = (part: WholeBody): Json => {
      made.added.push(...part.added)
      made.parts.push(...part.parts)
      made.chosen.push(...part.chosen)
      return part.value
    }
    const branches = branchesOf(schema)
    const branch = branches[Math.min(turn, branches.length - 1)]
    const { properties, items, additionalProperties } = resolved(schema)
    if (branch) made.value = take(whole(branch, turn, others, pointer))
    else if (items) made.value = [take(whole(items, turn, others, `${pointer}/0`))] as unknown as Json
    else if (properties) {
      const value: Json = {}
      for (const [name, member] of Object.entries<Json>(properties))
        value[name] = take(whole(member, turn, others, `${pointer}/${name}`))
      for (const name of additionalProperties === false ? others(properties) : []) {
        value[name] = 'set by a client'
        made.added.push(`${pointer}/${name}`)
      }
      made.value = value
    } else made.value = exampleOf(schema, { whole: true, schemas }) as Json
    return made
  }

  /** One body for each shape, where members have several: the first of each, the second of each that has two … */
  const bodiesOf = (schema: Json, others: (properties: Json) => string[] = () => []): WholeBody[] =>
    Array.from({ length: mostBranches(schema) }, (_, turn) => whole(schema, turn, others, ''))

  return { bodiesOf, resolved, branchesOf }
}
