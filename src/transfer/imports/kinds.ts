import type { TSchema } from 'typebox'
import { asItIs } from '../../core/etag.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { Faults, Problem } from '../../core/problem.ts'
import { sharedSchemas } from '../../core/schemas.ts'
import type { Tx } from '../../db/database.ts'
import { externalRefsHeld, findByRef, resolveNaming } from '../../platform/references.ts'
import { grants, type Scope } from '../../platform/scopes.ts'
import { readJson } from '../../platform/strict-json.ts'
import { takenOverSchemas } from '../../platform/taken-over.ts'
import { type Check, checksOf } from '../../platform/validation.ts'
import { completeRefs, refsWithin, type Upsert } from '../../platform/writes.ts'
import { upsertCommitment } from '../../resources/commitments/commands.ts'
import { commitmentSchemas, termSchemas } from '../../resources/commitments/schemas.ts'
import { upsertContact } from '../../resources/contacts/commands.ts'
import { reportFulfilmentOnce } from '../../resources/fulfilments/commands.ts'
import { fulfilmentSchemas } from '../../resources/fulfilments/schemas.ts'
import { upsertOrganisation } from '../../resources/organisations/commands.ts'
import { organisationsWith } from '../../resources/organisations/read.ts'
import { organisationSchemas } from '../../resources/organisations/schemas.ts'
import { upsertPartnership } from '../../resources/partnerships/commands.ts'
import { partnershipSchemas } from '../../resources/partnerships/schemas.ts'
import { pauseSchemas } from '../../resources/pauses/schemas.ts'
import { type FileFacts, takenOverOn } from './giving360.ts'
import { type ImportFormat, type ImportType, importRows } from './schemas.ts'
import type { RowToDo } from './store.ts'

interface Ref {
  system: string
  id: string
  url?: string | null
}

// biome-ignore lint/suspicious/noExplicitAny: of every kind, and checked against the schema of its kind.
type Members = any

/** A row that fits the contract: the reference that it is written by, and what it says. */
export interface Work {
  row: RowToDo
  type: ImportType
  ref: Ref
  refs: readonly Ref[]
  /** Its references, each as one text. */
  names: readonly string[]
  members: Members
  /** Rows of one lane change one record: they are done in turn. */
  lane: string
}

/** The command that writes a row of each kind: the one that a single request calls. */
interface Kind {
  scope: Scope
  write(tx: Tx, ref: Ref, members: Members): Promise<Upsert>
  /** The record that a row of this kind belongs to, and whose figures it changes. */
  lane?: (members: Members) => string
}

const kinds: Readonly<Record<ImportType, Kind>> = {
  organisation: {
    scope: 'organisations:write',
    write: (tx, ref, members) => upsertOrganisation(tx, ref, members, asItIs),
  },
  contact: {
    scope: 'personal_data:write',
    async write(tx, ref, { organisation_id, organisation_ref, ...members }) {
      const id = await named(tx, 'organisation', { id: organisation_id, ref: organisation_ref })
      return upsertContact(tx, id, ref, members, asItIs)
    },
  },
  partnership: {
    scope: 'partnerships:write',
    write: (tx, ref, members) => upsertPartnership(tx, ref, members, asItIs),
  },
  commitment: {
    scope: 'commitments:write',
    write: (tx, ref, members) => upsertCommitment(tx, ref, members, asItIs),
  },
  fulfilment: {
    scope: 'commitments:write',
    async write(tx, ref, { commitment_id, commitment_ref, ...members }) {
      const id = await named(tx, 'commitment', { id: commitment_id, ref: commitment_ref })
      return reportFulfilmentOnce(tx, id, ref, members)
    },
    lane: ({ commitment_id, commitment_ref }) => commitment_id ?? (commitment_ref ? nameOf(commitment_ref) : ''),
  },
}

/** The scope that writing a row of a kind needs. */
export const scopeOf = (type: ImportType): Scope => kinds[type].scope

async function named(tx: Tx, type: string, naming: { id?: string | null; ref?: Ref | null }): Promise<string> {
  const faults = new Faults()
  const id = await resolveNaming(tx, type, naming, { pointer: '', member: type, required: true }, faults)
  faults.refuse()
  return (id as string).toLowerCase()
}

const components: readonly TSchema[] = [
  ...sharedSchemas,
  ...takenOverSchemas,
  ...pauseSchemas,
  ...termSchemas,
  ...organisationSchemas,
  ...partnershipSchemas,
  ...commitmentSchemas,
  ...fulfilmentSchemas,
]
const checksFor = (isText: boolean): Readonly<Record<ImportType, Check>> => {
  const check = checksOf(components, { isText })
  return Object.fromEntries(Object.entries(importRows).map(([type, schema]) => [type, check(schema)])) as never
}
const checks = { json: checksFor(false), text: checksFor(true) }

/**
 * Reads a row and checks it against the contract.
 * @throws Problem that names every fault of it
 */
export function workOf(row: RowToDo, format: ImportFormat, facts: FileFacts, scopes: readonly string[]): Work {
  if (row.fault !== null) throw new Problem('invalid_request', row.fault)
  const read = readJson(row.payload ?? '')
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw new Problem('invalid_request', 'A row is a JSON object.')
  }
  const { type: said, ...members } = read as Members
  const type = typeOf(row, said)
  if (format === '360giving' && type === 'commitment') Object.assign(members, takenOverOn(facts))
  checks[format === 'csv' ? 'text' : 'json'][type](members)
  const { scope, lane } = kinds[type]
  if (!grants(scopes, scope)) throw new Problem('forbidden', `A row of kind ${type} needs the scope ${scope}.`)
  const { external_refs: refs, ...rest } = members
  const [ref] = refs
  const names = (refs as Ref[]).map(nameOf)
  return { row, type, ref, refs, names, members: rest, lane: lane?.(rest) ?? (names[0] as string) }
}

/** No text holds the character between. */
const nameOf = ({ system, id }: Ref): string => `${system}\0${id}`

function typeOf({ type }: RowToDo, said: unknown): ImportType {
  const fault = (code: FaultCode, detail: string) => {
    const faults = new Faults()
    faults.add('/type', code, detail)
    faults.refuse('invalid_request')
  }
  const known = Object.keys(kinds).join(', ')
  if (type === null) fault(said === undefined ? 'required' : 'enum', `Say what the row is: one of ${known}.`)
  if (said !== undefined && said !== type) fault('enum', `All rows of this import are of the type ${type}.`)
  return type as ImportType
}

/** The records that a row may mean, where it cannot be told which. */
export class Ambiguous extends Problem {
  readonly candidates: readonly string[]
  constructor(candidates: readonly string[]) {
    super('ambiguous_ref', `The external_refs of the row belong to ${candidates.length} different records.`)
    this.candidates = candidates
  }
}

/** Writes a row. @throws Problem, or Ambiguous where its references belong to different records */
export async function writeRow(tx: Tx, { type, ref, refs, members }: Work): Promise<Upsert> {
  if (refs.length === 1) return kinds[type].write(tx, ref, members)
  const found = await Promise.all(refs.map(({ system, id }) => findByRef(tx, type, system, id)))
  const candidates = [...new Set(found.filter((id) => id !== undefined))]
  if (candidates.length > 1) throw new Ambiguous(candidates)
  const [id] = candidates
  if (id === undefined) return kinds[type].write(tx, ref, { ...members, external_refs: refs })
  // Refs that the row does not speak of stay: one system does not drop the ids of another.
  const held = completeRefs(await externalRefsHeld(tx, type, id))
  const isHeld = (one: Ref) => held.some((other) => other.system === one.system && other.id === one.id)
  const known = refs.find(isHeld) ?? ref
  const external_refs = refsWithin([...held, ...completeRefs(refs.filter((one) => !isHeld(one)))])
  return kinds[type].write(tx, known, { ...members, external_refs })
}

/** The records that have what a refused row would take: its registrations. */
export async function takenBy(tx: Tx, { type, members }: Work): Promise<string[]> {
  return type === 'organisation' ? organisationsWith(tx, members.identifiers ?? []) : []
}
