import type { Partnership, PartnershipState, PartnershipWrite } from './schemas.ts'

/** The writable members as they stand. */
export function stateOf(partnership: Partnership): PartnershipState {
  const {
    id: _id,
    version: _v,
    created_at: _c,
    updated_at: _u,
    status: _s,
    pause: _p,
    reciprocity_waiver: _w,
    exit_evaluation_waiver: _x,
    end_reason: _e,
    decline_reason: _d,
    taken_over: _t,
    ...state
  } = partnership
  return { ...state, parties: partnership.parties.map(({ assent: _a, ...party }) => party) }
}

/** The members as a client would write them: what a patch is applied to. */
export function writeOf(partnership: Partnership): PartnershipWrite {
  const { taken_over } = partnership
  const state = stateOf(partnership)
  if (taken_over === null) return state
  const { on, from_system, note } = taken_over
  return { ...state, taken_over: { on, from_system, note } }
}
