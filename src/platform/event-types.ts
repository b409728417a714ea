const record = ['created', 'updated', 'deleted'] as const
const answered = ['accepted', 'rejected', 'withdrawn'] as const

/**
 * Everything that events tell, by the kind of record. Every service of the tests is looked through for others, and the
 * guide lists the same.
 */
export const eventVerbs = {
  organisation: [...record, 'merged'],
  contact: [...record, 'erased'],
  partnership: [
    ...[...record, 'proposed', 'withdrawn', 'declined', 'assented', 'activated', 'paused', 'resumed', 'amended'],
    ...['wound_down', 'kept_on', 'ended', 'evaluation_due', 'evaluation_overdue', 'ending_undecided'],
  ],
  pause: ['resumption_due'],
  commitment: [
    ...[...record, 'proposed', 'withdrawn', 'agreed', 'declined', 'paused', 'resumed', 'rescheduled', 'amended'],
    ...['fulfilled', 'reopened', 'lapsed', 'reinstated', 'released', 'cancelled', 'substituted', 'partly_substituted'],
  ],
  fulfilment: ['created', 'confirmed', 'disputed', 'reversed'],
  substitution: ['proposed', ...answered],
  amendment: ['proposed', 'assented', ...answered],
  evaluation: [...record, 'opened', 'closed', 'concluded', 'cancelled'],
  evaluation_template: record,
  evaluation_invitation: [...record, 'resent', 'answered', 'declined', 'expired'],
  evaluation_decision: ['created', 'updated'],
  objective: record,
  objective_link: ['created', 'superseded'],
  disruption: [...record, 'activated', 'recovering', 'ended'],
  impact: [...record, 'response_overdue', 'evaluation_overdue'],
  thresholds: ['updated'],
  portfolio_snapshot: ['taken'],
  export: ['created', 'succeeded', 'failed', 'cancelled'],
  webhook_endpoint: [...record, 'secret_rotated', 'disabled'],
  api_key: ['created', 'rotated', 'revoked'],
  oidc_issuer: record,
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What may be asked for: each type of event, and all of a kind. */
export const eventFilters: readonly string[] = Object.entries(eventVerbs).flatMap(([type, verbs]) =>
  [...verbs, '*'].map((verb) => `${type}.${verb}`),
)
