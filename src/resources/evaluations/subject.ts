import { sql } from 'kysely'
import type { Faults } from '../../core/problem.ts'
import type { ReadTx, Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { resolveNaming } from '../../platform/references.ts'
import { checkOrganisation, holdOrganisation } from '../organisations/read.ts'
import type { sectors } from '../organisations/schemas.ts'
import {
  holdPartnership,
  type PartnershipContext,
  type PartyContext,
  partnershipContext,
} from '../partnerships/read.ts'
import type { Evaluation, EvaluationWrite } from './schemas.ts'
import type { Side } from './scoring.ts'

// What a round is about: a partnership, which its parties judge, or an organisation, which judges itself.

/** Who may be asked. */
export interface Seat extends Pick<PartyContext, 'organisation_id' | 'side' | 'left_on'> {
  /** The party; null: the organisation whose round it is. */
  id: string | null
}

export interface Subject {
  type: 'partnership' | 'organisation'
  id: string
  status: string
  /** Decides what "today" is, and nothing else. */
  time_zone: string
  seats: readonly Seat[]
}

/** An organisation has no time zone of its own. */
export const organisationTimeZone = 'UTC'

type Sector = (typeof sectors)[number]

const sideBySector: Readonly<Record<Sector, Side>> = {
  company: 'company',
  non_profit: 'non_profit',
  public: 'public',
  education_research: 'other',
  other: 'other',
}

/** As which side an organisation of this sector judges itself. */
export const sideOfSector = (sector: string): Side => sideBySector[sector as Sector]

const ofPartnership = ({ id, status, time_zone, parties }: PartnershipContext): Subject => ({
  type: 'partnership',
  id,
  status,
  time_zone,
  seats: parties,
})

const ofOrganisation = ({ id, status, side }: { id: string; status: string; side: string }): Subject => ({
  type: 'organisation',
  id,
  status,
  time_zone: organisationTimeZone,
  seats: [{ id: null, organisation_id: id, side, left_on: null }],
})

const judged = prepare<{ id: string; status: string; side: string }>(sql`
  select o.id, o.status, e.organisation_side as side from evaluations e
  join organisations o on o.tenant_id = e.tenant_id and o.id = e.organisation_id
  where e.tenant_id = ${tenantParam} and e.id = ${param('id')}::uuid`)

type OfRound = Pick<Evaluation, 'partnership_id' | 'organisation_id'> & { id: string }

/** What a round is about, as it is. */
export async function subjectOf(tx: ReadTx, { id, partnership_id }: OfRound): Promise<Subject> {
  if (partnership_id !== null) return found(id, await partnershipContext(tx, partnership_id), ofPartnership)
  const [organisation] = await judged.run(tx, { id })
  return found(id, organisation, ofOrganisation)
}

/** What a round is about, held in the state that it is in; an organisation takes the side of its present sector. */
export async function holdSubject(tx: Tx, { id, partnership_id, organisation_id }: OfRound): Promise<Subject> {
  if (partnership_id !== null) return found(id, await holdPartnership(tx, { id: partnership_id }), ofPartnership)
  const organisation = await holdOrganisation(tx, organisation_id ?? '')
  return found(id, organisation, ({ sector, ...held }) => ofOrganisation({ ...held, side: sideOfSector(sector) }))
}

function found<T>(id: string, subject: T | undefined, made: (subject: T) => Subject): Subject {
  if (!subject) throw new Error(`What ${id} is about is not there`)
  return made(subject)
}

type SubjectNaming = Pick<
  EvaluationWrite,
  'kind' | 'partnership_id' | 'partnership_ref' | 'organisation_id' | 'organisation_ref'
>

/** Which subject a write speaks of, be it right or wrong; where it names none, the one that its kind asks for. */
export function subjectTypeOf(write: SubjectNaming): Subject['type'] {
  if (write.organisation_id != null || write.organisation_ref != null) return 'organisation'
  if (write.partnership_id != null || write.partnership_ref != null) return 'partnership'
  return write.kind === 'readiness' ? 'organisation' : 'partnership'
}

/** The subject that a write names, held in the state that it is in. Faults are gathered; undefined with any of them. */
export async function subjectNamed(tx: Tx, write: SubjectNaming, faults: Faults): Promise<Subject | undefined> {
  const { partnership_id, partnership_ref, organisation_id, organisation_ref, kind } = write
  const type = subjectTypeOf(write)
  if (type === 'organisation' && (partnership_id != null || partnership_ref != null)) {
    const detail = 'A round is about a partnership or about an organisation: name one of the two.'
    faults.add(organisation_ref == null ? '/organisation_id' : '/organisation_ref', 'exclusive', detail)
    return undefined
  }
  if ((kind === 'readiness') !== (type === 'organisation')) {
    const detail =
      kind === 'readiness'
        ? 'A readiness round is about an organisation, not a partnership: name it by organisation_id.'
        : `A ${kind} round is about a partnership: an organisation judges itself in a round of the kind readiness.`
    faults.add('/kind', 'wrong_subject', detail)
  }
  const naming =
    type === 'organisation'
      ? { id: organisation_id, ref: organisation_ref }
      : { id: partnership_id, ref: partnership_ref }
  const id = await resolveNaming(tx, type, naming, { pointer: '', member: type, required: true }, faults)
  if (id === null) return undefined
  if (type === 'organisation') return organisationNamed(tx, id, faults)
  const partnership = await holdPartnership(tx, { id })
  if (!partnership) faults.add('/partnership_id', 'unknown_reference', `There is no partnership ${id}.`)
  return partnership && ofPartnership(partnership)
}

async function organisationNamed(tx: Tx, id: string, faults: Faults): Promise<Subject | undefined> {
  const organisation = await holdOrganisation(tx, id)
  if (!(await checkOrganisation(tx, id, '/organisation_id', faults)) || !organisation) return undefined
  const { status, sector } = organisation
  return ofOrganisation({ id: organisation.id, status, side: sideOfSector(sector) })
}
