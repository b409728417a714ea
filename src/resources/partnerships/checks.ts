import { newId } from '../../core/ids.ts'
import { Faults } from '../../core/problem.ts'
import type { Tx } from '../../db/database.ts'
import { type Naming, resolveNaming } from '../../platform/references.ts'
import { askAgainInBatch, completeRefs } from '../../platform/writes.ts'
import { organisationsOfContacts } from '../contacts/read.ts'
import { type NamedOrganisation, organisationsNamed } from '../organisations/read.ts'
import { checkMembers } from './rules.ts'
import type { Partnership, PartnershipState, PartnershipWrite, PartyState } from './schemas.ts'
import { partnershipExists, partnershipIsAfter } from './store.ts'

/**
 * The complete state that a write asks for; `before` is the record that it changes.
 * @throws Problem that names every rule it breaks
 */
export async function checkedPartnership(
  tx: Tx,
  write: PartnershipWrite,
  before?: Partnership,
): Promise<PartnershipState> {
  const faults = new Faults()
  const seats = (write.parties ?? []).map((party) => ({ ...party, before: partyById(before, party.id) }))
  const managers = write.managers ?? []
  const namings: Naming[] = [
    ...seats.map(({ organisation_id, organisation_ref, before: known }) => ({
      id: organisation_id ?? (organisation_ref ? undefined : known?.organisation_id),
      ref: organisation_ref,
    })),
    ...managers.map(({ organisation_id, organisation_ref }) => ({ id: organisation_id, ref: organisation_ref })),
  ]
  checkMembers(write, faults)
  const [organisations, contacts, predecessorId] = await Promise.all([
    organisationsNamed(tx, namings),
    contactsNamed(tx, managers, faults),
    predecessorOf(tx, write, before, faults),
  ])
  const parties = partiesFrom(write, before, organisations, namings, faults)
  const stateManagers = managersFrom(write, parties, organisations.slice(seats.length), contacts, faults)
  faults.refuse()
  return {
    name: write.name,
    reference: write.reference ?? null,
    parties: parties.filter((party) => party !== undefined),
    relationship_type: write.relationship_type ?? null,
    stage: write.stage ?? null,
    purpose: {
      why: write.purpose?.why ?? null,
      what: write.purpose?.what ?? null,
      how: write.purpose?.how ?? null,
    },
    starts_on: write.starts_on ?? null,
    ends_on: write.ends_on ?? null,
    signed_on: write.signed_on ?? null,
    notice_period: write.notice_period ?? null,
    evaluation_interval: write.evaluation_interval ?? 'P6M',
    evaluation_interval_reason: write.evaluation_interval_reason ?? null,
    base_currency: write.base_currency ?? 'EUR',
    time_zone: write.time_zone ?? 'Europe/Amsterdam',
    crisis_protocol: write.crisis_protocol ?? null,
    predecessor_id: predecessorId,
    sdg_targets: write.sdg_targets ?? [],
    managers: stateManagers,
    cross_sector_exception: write.cross_sector_exception ?? null,
    external_refs: completeRefs(write.external_refs),
    metadata: write.metadata ?? {},
  }
}

const partyById = (partnership: Partnership | undefined, id: string | undefined) =>
  id === undefined ? undefined : partnership?.parties.find((party) => party.id === id.toLowerCase())

/** The parties of a write, by position: matched by their organisation, so that their ids stay. */
function partiesFrom(
  write: PartnershipWrite,
  before: Partnership | undefined,
  organisations: readonly (NamedOrganisation | undefined)[],
  namings: readonly Naming[],
  faults: Faults,
): (PartyState | undefined)[] {
  const seen = new Set<string>()
  return (write.parties ?? []).map((party, position) => {
    const at = `/parties/${position}`
    const named = partyById(before, party.id)
    if (party.id !== undefined && !named) {
      faults.add(
        `${at}/id`,
        'unknown_reference',
        `The partnership has no party ${party.id}; leave the id of a new one out.`,
      )
    }
    const organisation = checkedOrganisation(at, namings[position] ?? {}, organisations[position], faults)
    if (!organisation) return undefined
    if (named && named.organisation_id !== organisation.id) {
      faults.add(`${at}/organisation_id`, 'other_organisation', 'A party keeps its organisation: add another party.')
    }
    if (seen.has(organisation.id)) {
      faults.add(at, 'repeated', `The organisation ${organisation.id} is a party already: each has one seat.`)
    }
    seen.add(organisation.id)
    const known = before?.parties.find(({ organisation_id }) => organisation_id === organisation.id)
    return {
      id: known?.id ?? newId(),
      organisation_id: organisation.id,
      side: party.side,
      role: party.role ?? 'partner',
      joined_on: party.joined_on ?? null,
      left_on: party.left_on ?? null,
    }
  })
}

function checkedOrganisation(
  at: string,
  { id, ref }: Naming,
  organisation: NamedOrganisation | undefined,
  faults: Faults,
): NamedOrganisation | undefined {
  const member = ref ? `${at}/organisation_ref` : `${at}/organisation_id`
  if (id != null && ref != null) {
    faults.add(member, 'exclusive', 'Give organisation_id or organisation_ref, not both.')
  } else if (id == null && ref == null) {
    faults.add(member, 'required', 'Give organisation_id or organisation_ref.')
  } else if (!organisation) {
    const named = ref ? `with the reference ${ref.system}:${ref.id}` : id
    faults.add(member, 'unknown_reference', `There is no organisation ${named}.`)
  } else if (organisation.merged_into_id !== null) {
    faults.add(member, 'merged', `This organisation was merged into ${organisation.merged_into_id}: name that one.`)
  } else {
    return organisation
  }
  return undefined
}

interface NamedContact {
  id: string
  organisation_id: string
}

/** The contacts that a write names as managers; undefined for one whose fault has been added. */
async function contactsNamed(
  tx: Tx,
  managers: NonNullable<PartnershipWrite['managers']>,
  faults: Faults,
): Promise<(NamedContact | undefined)[]> {
  const ids = await Promise.all(
    managers.map(({ contact_id: id, contact_ref: ref }, position) => {
      const at = { pointer: `/managers/${position}`, member: 'contact', required: true }
      return resolveNaming(tx, 'contact', { id, ref }, at, faults)
    }),
  )
  const employers = await organisationsOfContacts(
    tx,
    ids.filter((id) => id !== null),
  )
  return ids.map((id, position) => {
    if (id === null) return undefined
    const employer = employers.get(id)
    if (employer !== undefined) return { id, organisation_id: employer }
    faults.add(`/managers/${position}/contact_id`, 'unknown_reference', `There is no contact ${id}.`)
    return undefined
  })
}

/** The managers of a write: each a contact of the organisation of its party. */
function managersFrom(
  write: PartnershipWrite,
  parties: readonly (PartyState | undefined)[],
  organisations: readonly (NamedOrganisation | undefined)[],
  contacts: readonly (NamedContact | undefined)[],
  faults: Faults,
): PartnershipState['managers'] {
  const seen = new Set<string>()
  return (write.managers ?? []).flatMap((manager, position) => {
    const at = `/managers/${position}`
    const names = ['party_id', 'organisation_id', 'organisation_ref'] as const
    const given = names.filter((name) => manager[name] != null)
    const [member] = given
    if (given.length !== 1 || !member) {
      faults.add(at, 'exclusive', 'Name the party by one of party_id, organisation_id and organisation_ref.')
      return []
    }
    const party = parties.find((candidate) =>
      member === 'party_id'
        ? candidate?.id === manager.party_id?.toLowerCase()
        : candidate !== undefined && candidate.organisation_id === organisations[position]?.id,
    )
    if (!party) {
      faults.add(`${at}/${member}`, 'unknown_reference', 'This is none of the parties: change managers as well.')
      return []
    }
    const contact = contacts[position]
    if (!contact) return []
    const { id: contactId, organisation_id: employer } = contact
    if (employer !== party.organisation_id) {
      const detail = `The contact is of the organisation ${employer}, the party of ${party.organisation_id}.`
      faults.add(`${at}/${manager.contact_ref ? 'contact_ref' : 'contact_id'}`, 'other_organisation', detail)
    }
    if (seen.has(`${party.id} ${contactId}`)) faults.add(at, 'repeated', 'This manager stands here twice.')
    seen.add(`${party.id} ${contactId}`)
    return [{ party_id: party.id, contact_id: contactId }]
  })
}

/** The id of the partnership that this one renews; a chain of renewals never closes. */
async function predecessorOf(
  tx: Tx,
  write: PartnershipWrite,
  before: Partnership | undefined,
  faults: Faults,
): Promise<string | null> {
  const naming = { id: write.predecessor_id?.toLowerCase(), ref: write.predecessor_ref }
  const at = { pointer: '', member: 'predecessor', required: false }
  const id = await resolveNaming(tx, 'partnership', naming, at, faults)
  if (id === null || id === before?.predecessor_id) return id
  const member = write.predecessor_ref ? '/predecessor_ref' : '/predecessor_id'
  if (!(await partnershipExists(tx, id))) {
    faults.add(member, 'unknown_reference', `There is no partnership ${id}.`)
  } else if (before && (await partnershipIsAfter(tx, before.id, id))) {
    faults.add(member, 'circle', 'A partnership cannot renew itself, nor one that renews it.')
  } else if (before) askAgainInBatch(tx, () => partnershipIsAfter(tx, before.id, id))
  return id
}
