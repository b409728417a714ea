/** The groups in which the contract shows operations. */
export const tags = [
  { name: 'Me', description: 'The credential in use: whose it is, what it may do, for whom it stands.' },
  {
    name: 'Organisations',
    description: 'Companies, charities and public bodies, known by their registers’ identifiers.',
  },
  {
    name: 'Contacts',
    description:
      'The people of an organisation who look after its alliances. Every answer here shows a person, so every operation ' +
      'needs `personal_data:read` or `personal_data:write`, also where it only writes. Other records name contacts by id ' +
      'alone, and events never hold a name, address, number or job title.',
  },
  { name: 'Partnerships', description: 'Alliances: their parties, their purpose and their life.' },
  { name: 'Commitments', description: 'What one party promises another, and what became of it.' },
  { name: 'Measures', description: 'How far promises are kept, and how what both sides give compares, as of any day.' },
  { name: 'Instalments', description: 'The parts of a commitment: when each falls due, and what became of it.' },
  {
    name: 'Fulfilments',
    description: 'The ledger of what was delivered on a commitment: reported, confirmed, reversed.',
  },
  { name: 'Substitutions', description: 'What takes the place of a promise that cannot be kept as it was made.' },
  { name: 'Amendments', description: 'Changes of what was agreed, and the terms as they stood on any day.' },
  { name: 'Evaluations', description: 'Rounds in which both sides judge the collaboration, blind until closed.' },
  { name: 'Answers', description: 'What respondents do, without an account: the token of their invitation is enough.' },
  {
    name: 'Objectives',
    description: 'What organisations want to reach, and what each partnership contributes to it.',
  },
  { name: 'Disruptions', description: 'What shakes partnerships, and what is done about it.' },
  {
    name: 'Portfolio',
    description: 'The partnerships of an organisation side by side, as of any day, and which of them are at risk.',
  },
  { name: 'Events', description: 'The feed of changes: gapless, in the order of commits, kept for 90 days at least.' },
  {
    name: 'Webhooks',
    description: 'The same events, sent as they happen: signed, repeated until they arrive, logged.',
  },
  {
    name: 'Imports',
    description: 'Files of rows, taken by the same rules as single requests; what became of each is told.',
  },
  { name: 'Exports', description: 'Complete tables for analysis: streamed at once, or as files of one snapshot.' },
  { name: 'Audit', description: 'Who did what: chained, and never changed.' },
  { name: 'API keys', description: 'The credentials of integrations.' },
  {
    name: 'Sign-in',
    description: 'The issuers whose access tokens are believed: of your people, and of partners’ portals.',
  },
  { name: 'System', description: 'Health and the pages behind problem types.' },
]
