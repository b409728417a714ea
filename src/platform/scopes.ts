/** Every scope there is. `admin` holds all the others. */
export const scopes = [
  'organisations:read',
  'organisations:write',
  'partnerships:read',
  'partnerships:write',
  'commitments:read',
  'commitments:write',
  'evaluations:read',
  'evaluations:write',
  'evaluations:answer',
  'objectives:read',
  'objectives:write',
  'disruptions:read',
  'disruptions:write',
  'portfolio:read',
  'portfolio:write',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'history:take_over',
  'imports:run',
  'exports:run',
  'audit:read',
  'personal_data:read',
  'personal_data:write',
  'admin',
] as const

export type Scope = (typeof scopes)[number]

/** True where a credential with these scopes may do what needs `needed`. */
export const grants = (held: readonly string[], needed: Scope): boolean =>
  held.includes(needed) || held.includes('admin')
