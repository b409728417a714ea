import { type Grant, parseGrant } from '../core/giving360.ts'
import { elementsOf } from './json-elements.ts'

// Reading a file in the 360Giving Data Standard (JSON).

/** A row that could not be taken, or not as it is, and why. */
export interface Remark {
  line: number
  id: string | null
  reason: string
}

export interface ParsedGrants {
  grants: Grant[]
  refused: Remark[]
}

/** Reads a 360Giving file; malformed rows are named by line and reason. */
export function parseGrants(json: string): ParsedGrants {
  const grants: Grant[] = []
  const refused: Remark[] = []
  const seen = new Set<string>()
  for (const { line, text } of elementsOf(json, 'grants')) {
    try {
      const grant = parseGrant(line, JSON.parse(text))
      if (seen.has(grant.id)) throw new Error('a grant with this id stands in the file already')
      seen.add(grant.id)
      grants.push(grant)
    } catch (error) {
      const id = /"id"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? null
      refused.push({ line, id, reason: (error as Error).message })
    }
  }
  return { grants, refused }
}
