import { isDeepStrictEqual } from 'node:util'
import { checkMeasure, isAddable, isZero, normaliseMeasure, unitOf } from '../../core/measure.ts'
import { checkMetadata } from '../../core/metadata.ts'
import { Faults } from '../../core/problem.ts'
import { requireDecider } from '../../core/sides.ts'
import type { Tx } from '../../db/database.ts'
import { seatNamed } from '../../platform/seats.ts'
import { checkValuations, decidersOf, type Held, normaliseValuations } from '../commitments/commands.ts'
import type { InstalmentState } from '../instalments/read.ts'
import type { Fulfilment, FulfilmentWrite } from './schemas.ts'
import type { FulfilmentEntry } from './store.ts'

/**
 * The party that a write names as the reporter; the promiser where it names none, or wrongly, which is among the faults then.
 * @throws Problem `wrong_party` where it is of neither side
 */
export async function reporterOf(
  tx: Tx,
  { commitment, partnership }: Held,
  write: FulfilmentWrite,
  faults: Faults,
): Promise<string> {
  const naming = {
    party_id: write.reported_by_party_id,
    organisation_id: write.reported_by_organisation_id,
    organisation_ref: write.reported_by_organisation_ref,
  }
  const member = reporterMember(write)
  let reporter = write.reported_by_party_id?.toLowerCase() ?? commitment.from_party_id
  if (member !== 'reported_by_party_id') {
    const at = { pointer: '', prefix: 'reported_by_', required: false }
    const seat = await seatNamed(tx, partnership.parties, naming, at, faults)
    reporter = seat?.id ?? reporter
  }
  const may = decidersOf('either_side', commitment, partnership.parties)
  requireDecider(member, reporter, may)
  return reporter
}

const reporterMember = ({ reported_by_organisation_id, reported_by_organisation_ref }: FulfilmentWrite) => {
  if (reported_by_organisation_ref != null) return 'reported_by_organisation_ref'
  return reported_by_organisation_id != null ? 'reported_by_organisation_id' : 'reported_by_party_id'
}

/** @throws Problem that names every rule which the write breaks */
export function checkedEntry(
  { commitment, today }: Held,
  write: FulfilmentWrite,
  reporter: string,
  instalment: InstalmentState | undefined,
  faults: Faults,
): FulfilmentEntry {
  const { measure } = commitment
  if (!isAddable(write.measure, measure)) {
    const detail = `The commitment is measured in ${unitOf(measure)}, and so is what is delivered on it.`
    faults.add('/measure', 'other_measure', detail)
  } else if (isZero(write.measure)) {
    faults.add('/measure', 'nothing', 'What is delivered is more than nothing; to take an entry back, reverse it.')
  }
  checkMeasure(write.measure, '/measure', faults)
  if (write.delivered_on > today) {
    faults.add('/delivered_on', 'in_future', `Today is ${today}: a delivery is reported once it is there.`)
  }
  if (write.instalment_seq != null) checkInstalment(write.instalment_seq, instalment, faults)
  checkValuations(write.valuations ?? [], faults)
  checkMetadata(write.metadata, faults)
  faults.refuse()
  return {
    commitment_id: commitment.id,
    delivered_on: write.delivered_on,
    instalment_seq: write.instalment_seq ?? null,
    measure: normaliseMeasure(write.measure),
    mode: write.mode ?? commitment.mode,
    reach: write.reach ?? null,
    valuations: normaliseValuations(write.valuations),
    note: write.note ?? null,
    evidence_url: write.evidence_url ?? null,
    reported_by_party_id: reporter,
    confirmation: 'reported',
    decided_by_party_id: null,
    decided_on: null,
    decision_note: null,
    dispute_reason: null,
    reversal_of: null,
    reversal_reason: null,
    metadata: write.metadata ?? {},
  }
}

/** A partner says what a delivery is worth to its own side, and for nobody else. */
export function checkDeclarer(
  valuations: FulfilmentWrite['valuations'],
  side: 'giver' | 'receiver',
  faults: Faults,
): void {
  for (const [position, { declared_by }] of (valuations ?? []).entries()) {
    if (declared_by === side) continue
    const detail = `A partner declares for its own side alone: here that is the ${side}.`
    faults.add(`/valuations/${position}/declared_by`, 'not_own_side', detail)
  }
}

function checkInstalment(seq: number, state: InstalmentState | undefined, faults: Faults): void {
  if (state === undefined) {
    faults.add('/instalment_seq', 'unknown_reference', `The commitment has no instalment ${seq}.`)
  } else if (state === 'skipped' || state === 'void') {
    const detail = `Instalment ${seq} is ${state}: without instalment_seq the delivery settles the next that is open.`
    faults.add('/instalment_seq', 'not_open', detail)
  }
}

/**
 * The members of a write in which an entry that is there says something else. What the write leaves out it does not speak of.
 */
export async function saidOtherwise(tx: Tx, held: Held, entry: Fulfilment, write: FulfilmentWrite): Promise<string[]> {
  if (entry.commitment_id !== held.commitment.id) return ['commitment_id']
  const said: Partial<Fulfilment> = {
    delivered_on: write.delivered_on,
    measure: normaliseMeasure(write.measure),
    ...(write.valuations ? { valuations: normaliseValuations(write.valuations) } : {}),
  }
  for (const name of ['instalment_seq', 'mode', 'reach', 'note', 'evidence_url', 'metadata'] as const) {
    if (write[name] != null) Object.assign(said, { [name]: write[name] })
  }
  const differing = Object.entries(said).flatMap(([name, value]) =>
    isDeepStrictEqual(entry[name as keyof Fulfilment], value) ? [] : [name],
  )
  const member = reporterMember(write)
  if (write[member] == null) return differing
  const faults = new Faults()
  const reporter = await reporterOf(tx, held, write, faults)
  faults.refuse()
  return reporter === entry.reported_by_party_id ? differing : [...differing, member]
}
