import { type Scope, scopes } from '../scopes.ts'

/** How a partner may use an operation. */
export interface PartnerUse {
  /**
   * For a write: the members of the body that name whose side acts. The partner must name a party of its own that takes
   * part, or a partnership where it has one, in the first that the body has, and in each other that it gives.
   */
  acts?: readonly string[]
  /** A figure over all of a partnership: not for those who have left it, who see only a part of it. */
  isForPresent?: true
  /** A picture: drawn only from what partners are shown of records that never change, and so sent as it is. */
  isPicture?: true
}

const reads: PartnerUse = {}
const decides: PartnerUse = { acts: ['party_id', 'recorded_by_party_id'] }

/**
 * Every operation that a credential of a partner may use, provided it has the scope. What is not named here is refused to
 * partners, whatever their scopes: a new operation is closed until somebody opens it.
 */
export const partnerOperations: Readonly<Record<string, PartnerUse>> = {
  get_me: reads,
  list_organisations: reads,
  get_organisation: reads,
  lookup_organisations: reads,
  list_partnerships: reads,
  get_partnership: reads,
  lookup_partnerships: reads,
  get_partnership_terms: { isForPresent: true },
  list_partnership_pauses: reads,
  list_partnership_history: reads,
  list_partnership_amendments: reads,
  get_partnership_reciprocity: { isForPresent: true },
  get_partnership_fulfilment: { isForPresent: true },
  assent_partnership: decides,
  decline_partnership: { acts: ['party_id'] },
  list_commitments: reads,
  get_commitment: reads,
  lookup_commitments: reads,
  get_commitment_terms: { isForPresent: true },
  list_commitment_pauses: reads,
  list_commitment_history: reads,
  list_instalments: reads,
  list_commitment_instalments: reads,
  get_commitment_fulfilment: { isForPresent: true },
  agree_commitment: decides,
  decline_commitment: decides,
  list_fulfilments: reads,
  list_commitment_fulfilments: reads,
  get_fulfilment: reads,
  lookup_fulfilments: reads,
  create_fulfilment: { acts: ['reported_by_party_id', 'reported_by_organisation_id'] },
  confirm_fulfilment: decides,
  dispute_fulfilment: decides,
  reverse_fulfilment: { acts: ['party_id'] },
  list_amendments: reads,
  get_amendment: reads,
  create_amendment: { acts: ['proposed_by_party_id'] },
  accept_amendment: decides,
  reject_amendment: decides,
  withdraw_amendment: decides,
  list_substitutions: reads,
  get_substitution: reads,
  create_substitution: { acts: ['proposed_by_party_id'] },
  accept_substitution: decides,
  reject_substitution: decides,
  withdraw_substitution: decides,
  list_evaluation_templates: reads,
  get_evaluation_template: reads,
  list_evaluations: reads,
  get_evaluation: reads,
  lookup_evaluations: reads,
  list_evaluation_history: reads,
  list_evaluation_invitations: reads,
  get_evaluation_invitation: reads,
  decline_evaluation_invitation: { acts: [] },
  create_evaluation_response: { acts: ['party_id', 'organisation_id'] },
  list_evaluation_responses: reads,
  get_evaluation_scores: reads,
  get_evaluation_texts: reads,
  get_evaluation_chart: { isPicture: true },
  add_evaluation_statement: { acts: ['party_id', 'organisation_id'] },
  list_decisions_of_evaluation: reads,
  list_evaluation_decisions: reads,
  get_evaluation_decision: reads,
  list_objectives: reads,
  get_objective: reads,
  lookup_objectives: reads,
  list_objective_links: reads,
  get_objective_link: reads,
  list_events: reads,
  create_objective_link: { acts: ['partnership_id'] },
}

/** The scopes that a partner's credential may have. */
export const partnerScopes: readonly Scope[] = scopes.filter((scope) =>
  [
    'organisations:read',
    'partnerships:read',
    'partnerships:write',
    'commitments:read',
    'commitments:write',
    'evaluations:read',
    'evaluations:answer',
    'objectives:read',
    'objectives:write',
    'events:read',
  ].includes(scope),
)
