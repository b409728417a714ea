import type { Readable } from 'node:stream'
import { type Grant, type GrantOrganisation, parseGrant } from '../../core/giving360.ts'
import {
  addSpelling,
  addToPair,
  commitmentRecord,
  type GrantOrganisationRecord,
  type GrantPair,
  type GrantRecord,
  givingSystem,
  organisationRecord,
  pairId,
  partnershipRecord,
} from '../../core/giving360-records.ts'
import { ElementCutter } from '../../core/json-elements.ts'
import { Problem } from '../../core/problem.ts'
import { type FileRow, unreadable } from './lines.ts'
import type { ImportType } from './schemas.ts'

/** What a file says as a whole, known when all of it was read. */
export interface FileFacts {
  /** The day of the newest award: the file tells what was so on that day. */
  as_of?: string
}

/**
 * Rows of a file in the 360Giving Data Standard (JSON). Each grant is a commitment; the organisations and the pairs of
 * them, of which each stands in many grants, come when all was read. Of the file no more is held than those.
 */
export async function* giving360Rows(file: Readable, facts: FileFacts): AsyncGenerator<FileRow> {
  const whole = new Whole()
  for await (const { line, text } of elementsIn(file)) {
    let grant: Grant
    try {
      grant = parseGrant(line, JSON.parse(text))
      whole.add(grant)
    } catch (error) {
      yield unreadable(line, 'commitment', `The grant cannot be taken: ${(error as Error).message}.`)
      continue
    }
    // On what day the file was made is known at its end.
    const { taken_over: _later, ...body } = commitmentRecord(grant, '').body
    yield rowOf('commitment', { line, id: grant.id, body })
  }
  facts.as_of = whole.asOf
  for (const { record, remarks } of whole.organisations.values()) yield rowOf('organisation', record, remarks)
  for (const pair of whole.pairs.values()) yield rowOf('partnership', partnershipRecord(pair, whole.asOf))
}

/** The part of a commitment that only the whole file tells. */
export const takenOverOn = ({ as_of }: FileFacts): object => ({ taken_over: { on: as_of, from_system: givingSystem } })

async function* elementsIn(file: Readable): AsyncGenerator<{ line: number; text: string }> {
  const cutter = new ElementCutter('grants')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) yield* cutter.push(decoder.decode(chunk, { stream: true }))
    cutter.end()
  } catch (error) {
    if (error instanceof TypeError) throw new Problem('invalid_request', 'The file is not valid UTF-8.')
    if (file.errored === error) throw error
    throw new Problem('invalid_request', `The file cannot be read as 360Giving JSON: ${(error as Error).message}.`)
  }
}

/** What many grants say together. */
class Whole {
  readonly organisations = new Map<string, { record: GrantOrganisationRecord; remarks: string[] }>()
  readonly pairs = new Map<string, GrantPair>()
  private readonly seen = new Set<string>()
  asOf = '0001-01-01'

  /** @throws Error where the grant is there already */
  add(grant: Grant): void {
    if (this.seen.has(grant.id)) throw new Error('a grant with this id stands in the file already')
    this.seen.add(grant.id)
    this.addOrganisation(grant, grant.funder, 'company')
    this.addOrganisation(grant, grant.recipient, 'non_profit')
    const id = pairId(grant)
    this.pairs.set(id, addToPair(this.pairs.get(id), grant))
    if (grant.awardedOn > this.asOf) this.asOf = grant.awardedOn
  }

  private addOrganisation({ line }: Grant, organisation: GrantOrganisation, sector: string): void {
    const id = organisation.id.trim()
    const known = this.organisations.get(id)
    if (known) {
      addSpelling(known.record, organisation.name.trim())
      return
    }
    const remarks: string[] = []
    this.organisations.set(id, {
      record: organisationRecord(line, organisation, sector, (reason) => remarks.push(reason)),
      remarks,
    })
  }
}

function rowOf(type: ImportType, { line, id, body }: GrantRecord, remarks: readonly string[] = []): FileRow {
  const payload = JSON.stringify({ ...body, external_refs: [{ system: givingSystem, id }] })
  // As an escape it is told of when the row is worked through.
  return { line, type, payload, fault: null, remarks }
}
