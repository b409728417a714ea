// A small portfolio that is wholly invented, in Dutch and English: it shows every state and every kind of record.
// Organisations go by short names, which are also their ids in the system `demo`.

/** What a step or a record is told: the id of a party of the partnership at hand, by the name of its organisation. */
type Party = (organisation: string) => string

/** A step in the life of a record, and the state that it leads to. */
export interface Step {
  verb: string
  to: string
  body?: (party: Party) => object
}

export interface DemoCommitment {
  id: string
  from: string
  to?: string
  body: object
  /** Before the partnership is active, and after. */
  steps: readonly Step[]
  later?: readonly Step[]
  /** New terms that both sides agreed to: who proposed, and who accepted. */
  amended?: { id: string; by: string; accepted: string; cause: string; note: string; terms: object }
  /** Another commitment that took its place, by its id; who proposed that, and who accepted. */
  replaced?: { id: string; by: string; accepted: string; with: string; reason: string }
  fulfilments?: readonly { id: string; body: object; confirmedBy?: string; disputedBy?: string; why?: string }[]
}

export interface DemoRound {
  id: string
  body: object
  /** How good each dimension is to each organisation, from 0 to 1; none where the round is only planned. */
  views?: Readonly<Record<string, Readonly<Record<string, number>>>>
  remarks?: Readonly<Record<string, string>>
  conclusion?: object
  cancelled?: string
}

export interface DemoPartnership {
  id: string
  parties: readonly object[]
  body: object
  begin: readonly Step[]
  commitments: readonly DemoCommitment[]
  start?: readonly Step[]
  rounds?: readonly DemoRound[]
  finish?: readonly Step[]
}

export const organisations: Readonly<Record<string, object>> = {
  bank: {
    name: 'Waterkant Bank',
    legal_name: 'Waterkant Bank N.V.',
    sector: 'company',
    industry: { scheme: 'nace', code: '64.19' },
    country: 'NL',
    identifiers: [{ scheme: 'NL-KVK', value: '90000001' }],
    preferred_language: 'nl',
    website: 'https://waterkant-bank.example',
  },
  supermarket: {
    name: 'Kruidenrijk Supermarkten',
    sector: 'company',
    industry: { scheme: 'nace', code: '47.11' },
    country: 'NL',
    identifiers: [{ scheme: 'NL-KVK', value: '90000002' }],
    preferred_language: 'nl',
  },
  software: {
    name: 'Noordlicht Software',
    alternate_names: ['Northern Light Software'],
    sector: 'company',
    country: 'NL',
    identifiers: [{ scheme: 'NL-KVK', value: '90000003' }],
    preferred_language: 'en',
  },
  logistics: {
    name: 'Harbour & Hill Logistics',
    legal_name: 'Harbour & Hill Logistics Ltd',
    sector: 'company',
    country: 'GB',
    identifiers: [{ scheme: 'GB-COH', value: '99000004' }],
    preferred_language: 'en',
  },
  brewery: { name: 'Brouwerij De Gouden Aar', sector: 'company', country: 'BE', preferred_language: 'nl' },
  swimming: {
    name: 'Stichting Zwemmen voor Iedereen',
    sector: 'non_profit',
    country: 'NL',
    identifiers: [
      { scheme: 'NL-KVK', value: '90000006' },
      { scheme: 'x-nl-rsin', value: '009000008', role: 'secondary' },
    ],
    preferred_language: 'nl',
  },
  food: { name: 'Voedselkring Nederland', sector: 'non_profit', country: 'NL', preferred_language: 'nl' },
  digital: { name: 'Stichting Digitaal Dichtbij', sector: 'non_profit', country: 'NL', preferred_language: 'nl' },
  rivers: {
    name: 'Rivers Alive Trust',
    sector: 'non_profit',
    country: 'GB',
    identifiers: [{ scheme: 'GB-CHC', value: '9900009' }],
    preferred_language: 'en',
  },
  museum: { name: 'Museum op Wielen', sector: 'non_profit', country: 'BE', preferred_language: 'nl' },
  city: { name: 'Gemeente Voorbeeldstad', sector: 'public', country: 'NL', preferred_language: 'nl' },
}

export const contacts: readonly { organisation: string; id: string; body: object }[] = [
  { organisation: 'bank', id: 'noor', body: person('Noor van der Zee', 'alliance_manager', 'nl') },
  { organisation: 'bank', id: 'ruben', body: person('Ruben de Wit', 'executive_sponsor', 'nl') },
  { organisation: 'swimming', id: 'amina', body: person('Amina el Idrissi', 'alliance_manager', 'nl') },
  { organisation: 'food', id: 'joris', body: person('Joris Brandsma', 'operations', 'nl') },
  { organisation: 'logistics', id: 'grace', body: person('Grace Whitfield', 'alliance_manager', 'en') },
  { organisation: 'rivers', id: 'owen', body: person('Owen Pritchard', 'communications', 'en') },
]

function person(name: string, job: string, language: string): object {
  const email = `${name.toLowerCase().replaceAll(/[^a-z]+/g, '.')}@demo.example`
  return { name, email, function: job, language }
}

export const objectives: readonly { id: string; organisation: string; body: object }[] = [
  {
    id: 'every-child-swims',
    organisation: 'swimming',
    body: {
      level: 'impact',
      title: 'Ieder kind in Nederland kan zwemmen',
      importance: 5,
      active_from: '2024-01-01',
      sdg_goals: [3],
    },
  },
  {
    id: 'lessons',
    organisation: 'swimming',
    body: {
      level: 'output',
      title: 'Vijfduizend zwemlessen voor gezinnen met weinig geld',
      importance: 4,
      active_from: '2024-01-01',
      parent_ref: { system: 'demo', id: 'every-child-swims' },
    },
  },
  {
    id: 'financial-health',
    organisation: 'bank',
    body: {
      level: 'outcome',
      title: 'Gezinnen kunnen meedoen',
      importance: 3,
      active_from: '2024-01-01',
      sdg_goals: [1, 10],
    },
  },
  {
    id: 'nothing-wasted',
    organisation: 'food',
    body: {
      level: 'outcome',
      title: 'Geen eten weggegooid',
      importance: 4,
      active_from: '2024-01-01',
      sdg_goals: [12],
    },
  },
  {
    id: 'living-rivers',
    organisation: 'rivers',
    body: {
      level: 'impact',
      title: 'Every river is alive again',
      importance: 5,
      active_from: '2024-01-01',
      sdg_goals: [14],
    },
  },
]

/** An organisation judges how ready it is for alliances: how good each theme is, from 0 to 1. */
export const readiness = {
  id: 'swimming-ready-2025',
  organisation: 'swimming',
  body: { kind: 'readiness', title: 'Klaar voor samenwerking', period_from: '2025-01-01', period_to: '2025-12-31' },
  view: { reciprocity: 0.5, flexibility: 1, sensitivity: 0.75, change_and_evaluate: 0.25, strategic_anchoring: 0.5 },
  conclusion: {
    conclusion: 'Wij vangen veel op, maar evalueren te weinig met onze partners.',
    decisions: [
      {
        aspect: 'how',
        decision: 'intensify',
        rationale: 'Elk half jaar een gesprek met iedere partner',
        due_on: '2026-03-01',
      },
    ],
    statements: [{ text: 'Het bestuur herkent dit beeld.' }],
  },
}
