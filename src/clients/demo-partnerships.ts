import { riverCommitments, swimCommitments } from './demo-commitments.ts'
import type { DemoPartnership } from './demo-portfolio.ts'
import { activate, assent, charity, company, propose } from './demo-words.ts'

// The partnerships of the demo, in every state there is, with what is promised in them and how both sides judge them.

export const running: readonly DemoPartnership[] = [
  {
    id: 'swim',
    parties: [company('bank', 'lead'), charity('swimming')],
    body: {
      name: 'Samen leren zwemmen',
      reference: 'DEMO-1',
      relationship_type: 'integrative',
      stage: 'value_creation',
      starts_on: '2025-01-01',
      notice_period: 'P3M',
      sdg_targets: ['10.2'],
      purpose: {
        why: { nl: 'Ieder kind zwemt.', en: 'Every child swims.' },
        what: { nl: 'Vijfduizend lessen in vijf steden.', en: 'Five thousand lessons in five cities.' },
        how: {
          nl: 'De bank betaalt en helpt mee, de stichting geeft les.',
          en: 'The bank pays and helps; the charity teaches.',
        },
      },
      crisis_protocol: 'Wie geraakt wordt belt dezelfde dag; binnen een week spreken beide besturen elkaar.',
    },
    begin: [propose],
    commitments: swimCommitments,
    start: [assent('bank', '2024-12-12'), assent('swimming', '2024-12-13'), activate],
    rounds: [
      {
        id: 'swim-2025-1',
        body: { kind: 'periodic', title: 'Halfjaar 1', period_from: '2025-01-01', period_to: '2025-06-30' },
        views: {
          bank: { why: 1, reciprocity: 0.5, relationship: 0.75, organisation: 0.5, flexibility: 0.75, impact: 0.75 },
          swimming: { why: 1, reciprocity: 0.75, relationship: 1, organisation: 0.25, flexibility: 1, impact: 0.5 },
        },
        remarks: {
          bank: 'Spreek af wie wanneer belt als er iets verandert.',
          swimming: 'Meer tijd voor verslag doen: we zijn maar met z’n drieën.',
        },
        conclusion: {
          conclusion: 'De lessen gaan door in buitenbaden. Het gala vervalt, de bank steunt extra.',
          decisions: [
            {
              aspect: 'how',
              decision: 'adapt',
              rationale: 'Buitenbaden in plaats van binnenbaden',
              due_on: '2025-08-01',
            },
            { aspect: 'why', decision: 'continue' },
          ],
        },
      },
    ],
  },
  {
    id: 'rivers',
    parties: [company('logistics', 'lead'), charity('rivers')],
    body: {
      name: 'Clean rivers',
      relationship_type: 'philanthropic',
      starts_on: '2024-03-01',
      // As the winding down leaves it: else a second run would take it away.
      ends_on: '2025-12-31',
      base_currency: 'GBP',
      time_zone: 'Europe/London',
      purpose: { why: { en: 'Rivers in which children can play.' } },
    },
    begin: [propose],
    commitments: riverCommitments,
    start: [assent('logistics', '2024-02-20'), assent('rivers', '2024-02-21'), activate],
    rounds: [
      {
        id: 'rivers-exit',
        body: { kind: 'exit', title: 'Looking back', period_from: '2024-03-01', period_to: '2025-06-30' },
        views: {
          logistics: {
            why: 0.25,
            reciprocity: 0.5,
            relationship: 0.75,
            organisation: 0.75,
            flexibility: 0.5,
            impact: 0.5,
          },
          rivers: {
            why: 0.75,
            reciprocity: 0.25,
            relationship: 0.5,
            organisation: 0.5,
            flexibility: 0.25,
            impact: 0.75,
          },
        },
        conclusion: {
          conclusion: 'We part as friends. The talks stay online for everyone.',
          decisions: [{ aspect: 'why', decision: 'end', rationale: 'The strategy of one side has changed.' }],
        },
      },
    ],
    finish: [
      { verb: 'wind-down', to: 'ending', body: () => ({ ends_on: '2025-12-31', end_reason: 'strategy_changed' }) },
    ],
  },
]
