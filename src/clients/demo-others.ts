import type { DemoPartnership } from './demo-portfolio.ts'
import { activate, agreed, assent, charity, company, money, propose, quantity, ref } from './demo-words.ts'

/** The partnerships of the demo that wait, stand still, or are over. */
export const others: readonly DemoPartnership[] = [
  {
    id: 'food',
    parties: [company('supermarket', 'lead'), charity('food')],
    body: { name: 'Niets over de datum', starts_on: '2025-02-01', relationship_type: 'transactional' },
    begin: [propose],
    commitments: [
      {
        id: 'food-goods',
        from: 'supermarket',
        to: 'food',
        body: { kind: 'goods', title: 'Kratten verse groente', measure: quantity('5200', 'piece') },
        steps: agreed('food', '2025-01-20'),
      },
      {
        id: 'food-cash',
        from: 'supermarket',
        to: 'food',
        body: {
          kind: 'cash',
          title: 'Koeling blijft betaald',
          reciprocity: 'unconditional',
          measure: money('8000.00'),
          pause_exempt: true,
        },
        steps: agreed('food', '2025-01-20'),
      },
      {
        id: 'food-report',
        from: 'food',
        to: 'supermarket',
        body: {
          kind: 'knowledge_data',
          title: 'Cijfers over verspilling',
          binding: 'indicative',
          measure: quantity('4', 'piece'),
        },
        steps: agreed('supermarket', '2025-01-22'),
      },
    ],
    start: [assent('supermarket', '2025-01-25'), assent('food', '2025-01-26'), activate],
    rounds: [
      {
        id: 'food-2025-1',
        body: { kind: 'periodic', period_from: '2025-02-01', period_to: '2025-07-31' },
        cancelled: 'De samenwerking staat stil; we evalueren zodra zij verder gaat.',
      },
    ],
    finish: [
      {
        verb: 'pause',
        to: 'paused',
        body: (party) => ({
          starts_on: '2025-09-01',
          review_on: '2025-12-01',
          reason: 'solidarity',
          initiated_by_party_id: party('supermarket'),
          on_behalf_of_party_id: party('food'),
          note: 'Het magazijn van de Voedselkring brandde af.',
        }),
      },
    ],
  },
  {
    id: 'digital',
    parties: [company('software', 'lead'), charity('digital')],
    body: { name: 'Digital help next door', starts_on: '2026-01-01' },
    begin: [propose, assent('software', '2025-11-01')],
    commitments: [
      {
        id: 'digital-licences',
        from: 'software',
        to: 'digital',
        body: { kind: 'licence', title: 'Licences for 40 help desks', measure: quantity('40', 'piece') },
        steps: [propose],
      },
      {
        id: 'digital-network',
        from: 'digital',
        to: 'software',
        body: { kind: 'network', title: 'Meetings with local councils', measure: quantity('3', 'event') },
        steps: [
          propose,
          {
            verb: 'decline',
            to: 'declined',
            body: (party) => ({ party_id: party('software'), reason: 'We may not seem to seek public contracts.' }),
          },
        ],
      },
    ],
  },
  {
    id: 'museum',
    parties: [company('brewery', 'lead'), charity('museum')],
    body: { name: 'Museum in elk dorp', starts_on: '2024-01-01', ends_on: '2024-12-31', time_zone: 'Europe/Brussels' },
    begin: [propose],
    commitments: [
      {
        id: 'museum-tour',
        from: 'brewery',
        to: 'museum',
        body: { kind: 'cash', title: 'Rondreis door tien dorpen', measure: money('12500.00') },
        steps: agreed('museum', '2023-11-15'),
        fulfilments: [
          {
            id: 'museum-tour-1',
            body: { delivered_on: '2024-04-02', measure: money('12500.00') },
            confirmedBy: 'museum',
          },
        ],
      },
      {
        id: 'museum-evening',
        from: 'museum',
        to: 'brewery',
        body: { kind: 'access', title: 'Avond voor het personeel', measure: quantity('1', 'event') },
        steps: agreed('brewery', '2023-11-15'),
        fulfilments: [
          {
            id: 'museum-evening-1',
            body: {
              delivered_on: '2024-10-05',
              measure: quantity('1', 'event'),
              reach: { audience: 140, countries: ['BE'] },
            },
            confirmedBy: 'brewery',
          },
        ],
      },
    ],
    start: [assent('brewery', '2023-12-01'), assent('museum', '2023-12-01'), activate],
    finish: [
      { verb: 'wind-down', to: 'ending', body: () => ({ ends_on: '2024-12-31', end_reason: 'completed' }) },
      {
        verb: 'end',
        to: 'ended',
        body: () => ({ exit_evaluation_waiver: 'Beide kanten spraken elkaar op de laatste avond.' }),
      },
    ],
  },
  {
    id: 'museum-again',
    parties: [company('brewery', 'lead'), charity('museum')],
    body: { name: 'Museum in elk dorp, tweede ronde', predecessor_ref: ref('museum'), time_zone: 'Europe/Brussels' },
    begin: [],
    commitments: [
      {
        id: 'museum-again-tour',
        from: 'brewery',
        body: {
          kind: 'cash',
          title: 'Rondreis door twintig dorpen',
          binding: 'indicative',
          measure: money('20000.00'),
        },
        steps: [],
      },
    ],
  },
  {
    id: 'city-pool',
    parties: [
      company('supermarket', 'lead'),
      charity('swimming'),
      { organisation_ref: ref('city'), side: 'public', role: 'supporter' },
    ],
    body: { name: 'Een bad voor de wijk', starts_on: '2025-06-01', evaluation_interval: 'P1Y' },
    begin: [propose],
    commitments: [],
    start: [
      assent('supermarket', '2025-05-20'),
      assent('swimming', '2025-05-21'),
      assent('city', '2025-05-28'),
      {
        verb: 'activate',
        to: 'active',
        body: () => ({ reciprocity_waiver: 'De toezeggingen volgen na het besluit van de gemeenteraad.' }),
      },
    ],
    rounds: [{ id: 'city-pool-2026', body: { kind: 'baseline', period_from: '2025-06-01', period_to: '2025-12-31' } }],
  },
  {
    id: 'vending',
    parties: [company('brewery', 'lead'), charity('food')],
    body: { name: 'Proeverij voor de Voedselkring' },
    begin: [
      propose,
      { verb: 'decline', to: 'declined', body: () => ({ reason: 'Alcohol past niet bij wie wij helpen.' }) },
    ],
    commitments: [],
  },
]
