import { grants, type Scope } from './scopes.ts'

/**
 * The scope that reading a kind of record needs, for the feed and for webhooks: there a reader sees of each record what
 * the record's own operations would show, and no more. A kind that is not named here is shown to `admin` alone.
 */
const scopeByType: Readonly<Record<string, Scope>> = {
  organisation: 'organisations:read',
  contact: 'personal_data:read',
  partnership: 'partnerships:read',
  pause: 'partnerships:read',
  commitment: 'commitments:read',
  fulfilment: 'commitments:read',
  substitution: 'commitments:read',
  amendment: 'partnerships:read',
  evaluation: 'evaluations:read',
  evaluation_template: 'evaluations:read',
  evaluation_invitation: 'evaluations:read',
  evaluation_decision: 'evaluations:read',
  objective: 'objectives:read',
  objective_link: 'objectives:read',
  disruption: 'disruptions:read',
  impact: 'disruptions:read',
  thresholds: 'portfolio:read',
  portfolio_snapshot: 'portfolio:read',
  webhook_endpoint: 'webhooks:read',
  export: 'exports:run',
}

/** What of events a reader may see: the kinds whose representations are shown, and what the others would need. */
export interface Sight {
  seesAll: boolean
  readable: string[]
  /** The scope by kind of record, as JSON. */
  needed: string
}

/** The sight of a credential with these scopes. */
export function sightOf(scopes: readonly string[]): Sight {
  const readable = Object.keys(scopeByType).filter((type) => grants(scopes, scopeByType[type] as Scope))
  return { seesAll: scopes.includes('admin'), readable, needed: JSON.stringify(scopeByType) }
}

/** The scopes that open representations, of those that a credential holds. */
export function readScopesOf(held: readonly string[]): Scope[] {
  if (held.includes('admin')) return ['admin']
  return [...new Set(Object.values(scopeByType))].filter((scope) => grants(held, scope))
}
