import type { ErrorObject } from 'ajv'
import { type FaultCode, isFaultCode } from '../core/fault-codes.ts'
import { type Fault, Problem } from '../core/problem.ts'
import { linePattern } from '../core/schemas.ts'

/** One problem that names every fault of a request's body, path or query. */
export function problemOf(errors: readonly ErrorObject[], part: string): Problem {
  const faults = errors.filter((error) => !isNoise(error, errors)).flatMap((error) => faultOf(error, part))
  const unique = [...new Map(faults.map((fault) => [`${fault.pointer} ${fault.code} ${fault.detail}`, fault])).values()]
  const detail =
    unique.length === 1 && unique[0]
      ? `${unique[0].pointer || 'The body'}: ${unique[0].detail}`
      : `${unique.length} faults; each is named in errors.`
  return new Problem('invalid_request', detail, { errors: unique })
}

/**
 * A union says that no branch fits, and each branch why. What helps the caller is the branch that they meant: not the
 * union itself, and not that the value could have been null. What is of the wrong type is none of the codes either.
 */
function isNoise({ keyword, instancePath, params, schemaPath }: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (keyword === 'enum') {
    const type = schemaPath.replace(/enum$/, 'type')
    return errors.some((other) => other.instancePath === instancePath && other.schemaPath === type)
  }
  // What is empty has no form to speak of.
  if (keyword === 'pattern') {
    return errors.some((other) => other.instancePath === instancePath && other.keyword === 'minLength')
  }
  const isUnion = keyword === 'anyOf' || keyword === 'oneOf'
  const isNull = keyword === 'type' && params['type'] === 'null'
  if (!isUnion && !isNull) return false
  return errors.some(
    (other) =>
      other.schemaPath !== schemaPath &&
      !['anyOf', 'oneOf'].includes(other.keyword) &&
      (other.instancePath === instancePath || other.instancePath.startsWith(`${instancePath}/`)) &&
      !(other.keyword === 'type' && other.params['type'] === 'null'),
  )
}

export const escapePointer = (name: string): string => name.replace(/~/g, '~0').replace(/\//g, '~1')

/** The code of a keyword of JSON Schema: `min_length` for `minLength`. */
function codeOf(keyword: string): FaultCode {
  const code = keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return isFaultCode(code) ? code : 'invalid'
}

function faultOf(error: ErrorObject, part: string): Fault[] {
  const at = (pointer: string) => (part === 'body' ? pointer : `?${pointer.slice(1)}`)
  const { keyword, instancePath: path, params } = error
  const code = codeOf(keyword)
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
      const values = params['allowedValues'] as unknown[]
      const given = typeof error.data === 'string' ? `"${error.data.slice(0, 60)}" is not known here. ` : ''
      const isLong = values.length > listedMax && typeof error.data === 'string'
      const named = isLong ? nearest(values as string[], error.data as string) : values
      const what = isLong ? 'Must be one of those in the contract, such as' : 'Must be one of'
      const detail = `${given}${what} ${named.map((value) => JSON.stringify(value)).join(', ')}.`
      return [{ pointer: at(path), code: 'enum', detail }]
    }
    case 'type': {
      const types = [params['type']].flat().join(' or ')
      const given = error.data === null ? ', not null' : ''
      return [{ pointer: at(path), code: 'type', detail: `Must be of type ${types}${given}.` }]
    }
    case 'discriminator': {
      const { tag, tagValue } = params as { tag: string; tagValue: unknown }
      const detail = `Says which form this has; ${JSON.stringify(tagValue) ?? 'nothing'} is none of those in the contract.`
      return [{ pointer: at(`${path}/${tag}`), code, detail }]
    }
    case 'propertyNames':
      return [{ pointer: at(path), code, detail: `The name "${params['propertyName']}" may not be used here.` }]
    // The branches of a union report for themselves.
    case 'if':
    case 'anyOf':
    case 'oneOf':
      return error.message ? [{ pointer: at(path), code, detail: `${capital(error.message)}.` }] : []
    case 'pattern':
      return [{ pointer: at(path), code, detail: formOf(error) }]
    case 'format': {
      const detail = formats[params['format']] ?? `${capital(error.message ?? 'Is not valid')}.`
      return [{ pointer: at(path), code, detail }]
    }
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
      return [{ pointer: at(path), code, detail: sizeOf(keyword, Number(params['limit'])) }]
    default:
      return [{ pointer: at(path), code, detail: `${capital(error.message ?? 'Is not valid')}.` }]
  }
}

/** How long a text or a list has to be: `Must have at least 1 character.` */
function sizeOf(keyword: string, limit: number): string {
  const most = keyword.startsWith('min') ? 'at least' : 'at most'
  const what = keyword.endsWith('Length') ? 'character' : 'item'
  return `Must have ${most} ${limit} ${what}${limit === 1 ? '' : 's'}.`
}

/** So many values of a closed list are named in a fault; of a longer one those that begin most like what was given. */
const listedMax = 50
const nearestMax = 5

function nearest(values: readonly string[], given: string): string[] {
  const alike = (value: string): number => {
    const end = [...value].findIndex((letter, at) => letter !== given[at])
    return end === -1 ? value.length : end
  }
  return [...values].sort((a, b) => alike(b) - alike(a)).slice(0, nearestMax)
}

const formats: Record<string, string> = {
  date: 'Must be a day of the years 0001 to 9999, such as 2026-03-01.',
  'date-time': 'Must be an instant of the years 0001 to 9999 in UTC, such as 2026-03-01T12:00:00Z.',
}

/** What form a text should have, in the words of the contract rather than as a pattern where it has any. */
function formOf({ params, parentSchema }: ErrorObject): string {
  if (params['pattern'] === linePattern) return 'Must be text that neither begins nor ends with white space.'
  const { description, examples } = (parentSchema ?? {}) as { description?: string; examples?: unknown[] }
  const example = examples?.length ? `, such as ${JSON.stringify(examples[0])}` : ''
  return `Has not the form that is needed here: ${description ?? `the pattern ${params['pattern']}`}${example}.`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
