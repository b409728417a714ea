/** What partners are shown of a component of the contract, and what not: names of members, those of parts after a dot. */
interface Fields {
  shown: string
  hidden?: string
  /** Those that name commitments, of which drafts are left out. */
  naming?: string
}

/**
 * Every field of everything that a partner can receive, and whether it is shown: a test compares it with the contract, so
 * a new field is hidden until somebody decides, here. Hidden fields that the contract requires are null or empty.
 */
export const partnerFields: Readonly<Record<string, Fields>> = {
  Actor: { shown: 'type', hidden: 'id' },
  Agreement: { shown: 'party_id recorded_by_party_id note' },
  Amendment: {
    shown:
      'id version created_at updated_at partnership_id effective_on cause evaluation_id decision_id note changes diff required_assents assents status proposed_by_party_id proposed_on decided_on decided_by_party_id decision_note',
    hidden: 'disruption_id external_refs metadata',
  },
  AmendmentAssent: { shown: 'party_id on recorded_by_party_id note' },
  AmendmentChanges: { shown: 'partnership commitments' },
  AmendmentDifference: { shown: 'resource_type resource_id member before after', naming: 'before after' },
  AmendmentPage: { shown: 'data next_cursor total' },
  Assent: { shown: 'on recorded_by_party_id note' },
  Commitment: {
    shown:
      'id version created_at updated_at partnership_id from_party_id to_party_id kind title description binding reciprocity in_return_for motive mode measure valuations schedule pause_exempt status pause agreed_on agreement closed_on close_reason delivered reported skipped replaced outstanding fulfilment_rate fulfilment_counts',
    hidden: 'disruption_id taken_over external_refs metadata',
    naming: 'in_return_for',
  },
  CommitmentAmendment: { shown: 'commitment_id terms' },
  CommitmentFulfilment: {
    shown:
      'commitment_id as_of status measure skipped replaced delivered outstanding due met overdue promised_by kept rate kept_as_promised',
  },
  CommitmentLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  CommitmentPage: { shown: 'data next_cursor total' },
  CommitmentTermsPatch: {
    shown: 'kind title binding reciprocity in_return_for mode measure schedule',
    naming: 'in_return_for',
  },
  Evaluation: {
    shown:
      'id version created_at updated_at partnership_id organisation_id kind template_code template_version title period_from period_to opens_at closes_at response_mode minimum_per_side status opened_at closed_at concluded_at conclusion statements cancel_reason',
    hidden: 'disruption_id external_refs metadata',
  },
  EvaluationAnchor: { shown: 'score label' },
  EvaluationAnswer: { shown: 'item_code score text not_applicable' },
  EvaluationDecision: {
    shown:
      'id version created_at updated_at evaluation_id partnership_id organisation_id aspect decision rationale due_on owner_party_id amendment_id status',
  },
  EvaluationDecisionPage: { shown: 'data next_cursor total' },
  EvaluationDimension: { shown: 'code label weight' },
  EvaluationGap: { shown: 'level code sides gap is_flagged suppression_reason' },
  EvaluationInvitation: {
    shown:
      'id version created_at updated_at evaluation_id partnership_id organisation_id party_id function language status',
    hidden: 'contact_id',
  },
  EvaluationInvitationPage: { shown: 'data next_cursor total' },
  EvaluationItem: {
    shown: 'code dimension statement scale minimum maximum anchors reverse required perspective predicts',
  },
  EvaluationLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  EvaluationPage: { shown: 'data next_cursor total' },
  EvaluationResponse: { shown: 'id evaluation_id party_id organisation_id side submitted_at answers' },
  EvaluationResponsePage: { shown: 'data next_cursor total' },
  EvaluationResponseReceipt: { shown: 'id evaluation_id party_id submitted_at evaluation_status' },
  EvaluationPreviousRound: {
    shown: 'evaluation_id kind template_version period_from period_to closed_at scores',
  },
  EvaluationScore: { shown: 'side level code dimension n score spread suppression_reason' },
  EvaluationScoreChange: { shown: 'side level code previous change' },
  EvaluationScores: {
    shown:
      'evaluation_id template_code template_version as_of thresholds thresholds.gap thresholds.minimum_per_side thresholds.spread_from scores gaps gaps_reason understanding previous changes',
  },
  EvaluationStatement: { shown: 'party_id text stated_at' },
  EvaluationTemplate: {
    shown: 'id version created_at updated_at code origin status title introduction subject licence dimensions items',
    hidden: 'external_refs metadata',
  },
  EvaluationTemplatePage: { shown: 'data next_cursor total' },
  EvaluationText: { shown: 'code side texts suppression_reason' },
  EvaluationTexts: { shown: 'evaluation_id as_of texts' },
  EvaluationUnderstanding: { shown: 'code predicts side other predicted actual gap is_flagged' },
  Event: {
    // `data` as records of its kind are shown, and of `changed` what they are shown: see answers.ts.
    shown: 'sequence id type resource_type resource_id version changed actor occurred_at data needs_scope',
    hidden: 'request_id',
  },
  EventPage: { shown: 'data next_after latest' },
  Fulfilment: {
    shown:
      'id version created_at updated_at commitment_id delivered_on instalment_seq measure mode reach valuations note evidence_url reported_by_party_id confirmation decided_by_party_id decided_on decision_note dispute_reason reversal_of reversal_reason reversed_by_id',
    hidden: 'external_refs metadata',
  },
  FulfilmentCounts: { shown: 'reported confirmed disputed reversed' },
  FulfilmentLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  FulfilmentPage: { shown: 'data next_cursor total' },
  HistoryActor: { shown: 'type', hidden: 'id' },
  HistoryEntry: {
    shown: 'id version from_status to_status changed_on changed_at decided_by_party_id reason amendment_id actor',
    hidden: 'disruption_id',
  },
  HistoryEntryPage: { shown: 'data next_cursor total' },
  Identifier: { shown: 'scheme value role' },
  Industry: { shown: 'scheme code' },
  Instalment: {
    shown:
      'id version created_at updated_at partnership_id commitment_id seq due_on original_due_on measure replaced settled open state is_suspended is_overdue superseded_on',
  },
  InstalmentPage: { shown: 'data next_cursor total' },
  Me: { shown: 'type audience tenant scopes organisations expires_at api_key token requests_per_minute' },
  Measure: { shown: '' },
  MeasureSum: { shown: '' },
  Money: { shown: 'amount currency' },
  MoneyMeasure: { shown: 'type amount currency' },
  MoneyMeasureSum: { shown: 'type amount currency' },
  MoneySum: { shown: 'amount currency' },
  MyKey: { shown: 'id name prefix' },
  MyOrganisation: { shown: 'id name' },
  MyTenant: { shown: 'id name' },
  MyToken: { shown: 'issuer subject' },
  Objective: {
    shown:
      'id version created_at updated_at organisation_id level title description parent_id sdg_goals sdg_targets importance active_from active_until indicator_refs',
    hidden: 'external_refs metadata',
  },
  ObjectiveLink: {
    shown:
      'id version created_at updated_at partnership_id objective_id contribution rationale assessed_on evaluation_id superseded_on superseded_by_id',
    hidden: 'metadata',
  },
  ObjectiveLinkPage: { shown: 'data next_cursor total' },
  ObjectiveLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  ObjectivePage: { shown: 'data next_cursor total' },
  Organisation: {
    shown:
      'id version created_at updated_at name legal_name alternate_names sector industry country identifiers preferred_language website status merged_into_id',
    hidden: 'parent_id external_refs metadata',
  },
  OrganisationLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  OrganisationPage: { shown: 'data next_cursor total' },
  Partnership: {
    shown:
      'id version created_at updated_at name reference status parties relationship_type stage purpose starts_on ends_on signed_on notice_period evaluation_interval evaluation_interval_reason base_currency time_zone crisis_protocol sdg_targets pause end_reason decline_reason',
    hidden:
      'predecessor_id managers cross_sector_exception reciprocity_waiver exit_evaluation_waiver taken_over external_refs metadata',
  },
  PartnershipFulfilment: {
    shown:
      'partnership_id as_of basis currency rate kept_as_promised due met overdue promised_by kept commitments due_commitments due_valued coverage undated taken_over_as_fulfilled sides',
  },
  PartnershipLookup: { shown: 'data not_found not_found.ids', hidden: 'not_found.refs' },
  PartnershipPage: { shown: 'data next_cursor total' },
  PartnershipTermsPatch: { shown: 'purpose purpose.why purpose.what purpose.how starts_on base_currency' },
  Party: { shown: 'id organisation_id side role joined_on left_on assent' },
  Pause: {
    shown:
      'id version created_at updated_at partnership_id commitment_id starts_on planned_resume_on review_on resumed_on reason initiated_by_party_id on_behalf_of_party_id schedule_effect',
    hidden: 'disruption_id note',
  },
  PausePage: { shown: 'data next_cursor total' },
  PerceivedReciprocity: { shown: 'evaluation_id closed_on sides sides.side sides.score' },
  Purpose: { shown: 'why what how' },
  QuantityMeasure: { shown: 'type quantity unit' },
  QuantityMeasureSum: { shown: 'type quantity unit' },
  Reach: { shown: 'audience countries' },
  Reciprocity: {
    shown:
      'partnership_id as_of basis currency compared promised delivered in_return_only perceived thresholds thresholds.coverage',
  },
  ReciprocityBalance: { shown: 'ratio withheld sides' },
  ReciprocitySide: { shown: 'side value commitments valued coverage' },
  ReciprocityVariants: { shown: 'promised delivered' },
  Ref: { shown: '', hidden: 'system id' },
  RequiredAssent: { shown: 'any_of' },
  Schedule: { shown: 'frequency starts_on interval day_of_month ends_on count' },
  ScheduleWrite: { shown: 'frequency starts_on interval day_of_month ends_on count' },
  SideFulfilment: {
    shown:
      'side rate kept_as_promised due met overdue promised_by kept commitments due_commitments due_valued coverage undated taken_over_as_fulfilled',
  },
  Substitution: {
    shown:
      'id version created_at updated_at partnership_id replaces_commitment_id by_commitment_id replaced_measure instalment_seq reason value_difference status proposed_by_party_id proposed_on decided_by_party_id decided_on decision_note assents',
    hidden: 'disruption_id external_refs metadata',
  },
  SubstitutionAssent: { shown: 'party_id on recorded_by_party_id' },
  SubstitutionPage: { shown: 'data next_cursor total' },
  TermsAsOf: {
    shown: 'resource_type resource_id as_of valid_from superseded_on amendment_id terms',
    naming: 'terms',
  },
  TextByLanguage: { shown: '' },
  Valuation: { shown: 'money basis declared_by valued_on' },
  ValueDifference: { shown: 'amount currency basis' },
}

const setsOf = (which: keyof Fields) =>
  new Map(Object.entries(partnerFields).map(([name, fields]) => [name, new Set(fields[which]?.split(' '))]))
const [shown, hidden, naming] = [setsOf('shown'), setsOf('hidden'), setsOf('naming')]

/** The fields of a component that partners are shown; undefined for a component that they are not shown at all. */
export const shownOf = (component: string): ReadonlySet<string> | undefined => shown.get(component)

/** True for a field of a component that partners are not shown. */
export const isHidden = (component: string, field: string): boolean => hidden.get(component)?.has(field) ?? false

/** True for a field of a component that names commitments. */
export const isNaming = (component: string, field: string): boolean => naming.get(component)?.has(field) ?? false
