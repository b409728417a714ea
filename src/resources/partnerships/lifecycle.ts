import { lifecycleOf, requireNamedStep, type Step } from '../../core/lifecycle.ts'
import type { Faults } from '../../core/problem.ts'
import { type Partnership, type PartnershipStatus, type Party, partnershipStatuses } from './schemas.ts'

/** The life of a partnership: each step by the verb of its address. */
export const partnershipSteps = {
  propose: { from: ['draft'], to: 'proposed' },
  withdraw: { from: ['proposed'], to: 'draft' },
  decline: { from: ['proposed'], to: 'declined' },
  assent: { from: ['proposed'], to: 'proposed' },
  activate: { from: ['proposed'], to: 'active' },
  pause: { from: ['active'], to: 'paused' },
  resume: { from: ['paused'], to: 'active' },
  'wind-down': { from: ['active', 'paused'], to: 'ending' },
  end: { from: ['ending'], to: 'ended' },
  // To paused instead, where the pause in which it was wound down has not ended.
  'keep-on': { from: ['ending'], to: 'active' },
} as const satisfies Record<string, Step<PartnershipStatus>>

export type PartnershipStep = keyof typeof partnershipSteps

export const partnershipLifecycle = lifecycleOf<PartnershipStatus>(partnershipStatuses, {
  ...partnershipSteps,
  'keep-on, into a pause': { from: ['ending'], to: 'paused' },
})

/** @throws Problem `transition_not_allowed`: whatever else a step needs, its state comes first */
export function requirePartnershipStep(name: PartnershipStep, from: PartnershipStatus): void {
  requireNamedStep(partnershipLifecycle, name, partnershipSteps[name], from)
}

/** The conditions of the way from draft to each state: what a record taken over in that state was never asked for. */
const toPropose = ['two_parties', 'cross_sector']
const toActivate = [...toPropose, 'starts_on', 'assents', 'reciprocity']
const toWindDown = [...toActivate, 'ends_on', 'end_reason']
export const conditionsUntil: Readonly<Record<PartnershipStatus, readonly string[]>> = {
  draft: [],
  proposed: toPropose,
  declined: [...toPropose, 'decline_reason'],
  active: toActivate,
  paused: [...toActivate, 'pause'],
  ending: toWindDown,
  ended: [...toWindDown, 'commitments_open', 'exit_evaluation'],
}

/** The parties that take part on a day: those that have not left by then. */
export const partiesOn = (parties: readonly Party[], day: string): Party[] =>
  parties.filter(({ left_on }) => left_on === null || left_on > day)

/** What proposing needs. Parties of one partnership are always of different organisations. */
export function checkProposal({ parties, cross_sector_exception }: Partnership, today: string, faults: Faults): void {
  const present = partiesOn(parties, today)
  if (present.length < 2) {
    const detail = `A partnership has two parties or more, of different organisations; this one has ${present.length}.`
    faults.add('/parties', 'two_parties', detail)
  }
  const missing = (['company', 'non_profit'] as const).filter((side) => !present.some((party) => party.side === side))
  if (missing.length === 0 || cross_sector_exception !== null) return
  const detail = `No party stands on the side ${missing.join(', nor on ')}: add one, or say in cross_sector_exception why not.`
  faults.add('/cross_sector_exception', 'cross_sector', detail)
}

/** What activating needs. `promised` holds the sides from which an agreed commitment comes. */
export function checkActivation(
  partnership: Pick<Partnership, 'parties' | 'starts_on' | 'reciprocity_waiver'>,
  today: string,
  promised: ReadonlySet<string>,
  faults: Faults,
): void {
  const { parties, starts_on, reciprocity_waiver } = partnership
  if (starts_on === null) faults.add('/starts_on', 'starts_on', 'Say in starts_on on which day it begins.')
  const present = partiesOn(parties, today)
  for (const { id, organisation_id, assent } of present) {
    if (assent !== null) continue
    const at = parties.findIndex((party) => party.id === id)
    const detail = `The party ${id} (organisation ${organisation_id}) has not assented: record its assent.`
    faults.add(`/parties/${at}`, 'assents', detail)
  }
  const silent = [...new Set(present.map(({ side }) => side))].filter((side) => !promised.has(side))
  if (silent.length === 0 || reciprocity_waiver !== null) return
  const detail = `No agreed commitment comes from the side ${silent.join(', nor from ')}: agree one, or say in reciprocity_waiver why not.`
  faults.add('/reciprocity_waiver', 'reciprocity', detail)
}
