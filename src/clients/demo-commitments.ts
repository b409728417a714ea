import type { DemoCommitment } from './demo-portfolio.ts'
import { agreed, money, quantity, ref } from './demo-words.ts'

// What is promised in the two partnerships of the demo that are evaluated, and what became of it.

export const swimCommitments: readonly DemoCommitment[] = [
  {
    id: 'swim-grant',
    from: 'bank',
    to: 'swimming',
    body: {
      kind: 'cash',
      title: 'Bijdrage aan zwemlessen',
      measure: money('60000.00'),
      motive: 'community_investment',
      schedule: { frequency: 'quarterly', starts_on: '2025-01-15', count: 4, day_of_month: 15 },
    },
    steps: agreed('swimming', '2024-12-10'),
    fulfilments: [
      {
        id: 'swim-grant-1',
        body: { delivered_on: '2025-01-15', measure: money('15000.00') },
        confirmedBy: 'swimming',
      },
      {
        id: 'swim-grant-2',
        body: { delivered_on: '2025-04-15', measure: money('15000.00') },
        confirmedBy: 'swimming',
      },
      { id: 'swim-grant-3', body: { delivered_on: '2025-07-16', measure: money('15000.00') } },
    ],
  },
  {
    id: 'swim-hours',
    from: 'bank',
    to: 'swimming',
    body: {
      kind: 'volunteer_time',
      title: 'Medewerkers helpen langs het bad',
      mode: 'in_person',
      measure: quantity('120', 'hour'),
      valuations: [
        {
          money: { amount: '5400.00', currency: 'EUR' },
          basis: 'fair_value',
          declared_by: 'giver',
          valued_on: '2025-01-01',
        },
      ],
    },
    steps: agreed('swimming', '2024-12-10'),
    amended: {
      id: 'swim-hours-fewer',
      by: 'swimming',
      accepted: 'bank',
      cause: 'disruption',
      note: 'De baden zijn dicht tot de zomer: tachtig uren zijn haalbaar.',
      terms: { measure: quantity('80', 'hour') },
    },
    fulfilments: [
      {
        id: 'swim-hours-1',
        body: {
          delivered_on: '2025-05-17',
          measure: quantity('40', 'hour'),
          reach: { audience: 180, countries: ['NL'] },
        },
        disputedBy: 'swimming',
        why: 'Twee medewerkers zijn die dag niet gekomen: het waren 32 uren.',
      },
    ],
  },
  {
    id: 'swim-visibility',
    from: 'swimming',
    to: 'bank',
    body: {
      kind: 'visibility',
      title: 'De bank op de badmutsen van alle leerlingen',
      measure: quantity('5000', 'placement'),
      in_return_for: [ref('swim-grant')],
    },
    steps: agreed('bank', '2024-12-11'),
  },
  {
    id: 'swim-gala',
    from: 'swimming',
    to: 'bank',
    body: { kind: 'access', title: 'Kaarten voor het zwemgala', mode: 'in_person', measure: quantity('50', 'ticket') },
    steps: agreed('bank', '2024-12-11'),
    later: [
      {
        verb: 'lapse',
        to: 'lapsed',
        body: (party) => ({ party_id: party('swimming'), reason: 'Het bad ging dicht; het gala kan niet doorgaan.' }),
      },
    ],
  },
  {
    id: 'swim-clinic',
    from: 'swimming',
    to: 'bank',
    body: { kind: 'access', title: 'Zwemclinics voor klanten', mode: 'in_person', measure: quantity('2', 'event') },
    steps: agreed('bank', '2024-12-11'),
    replaced: {
      id: 'swim-clinic-online',
      by: 'swimming',
      accepted: 'bank',
      with: 'swim-webinar',
      reason: 'Het bad is dicht: wie thuis zit, leert online van onze trainers.',
    },
  },
  {
    id: 'swim-webinar',
    from: 'swimming',
    to: 'bank',
    body: { kind: 'access', title: 'Online lessen van de trainers', mode: 'online', measure: quantity('3', 'event') },
    steps: [],
  },
  {
    id: 'swim-extra',
    from: 'bank',
    to: 'swimming',
    body: {
      kind: 'cash',
      title: 'Extra steun terwijl de baden dicht zijn',
      reciprocity: 'additional',
      measure: money('10000.00'),
    },
    steps: agreed('swimming', '2024-12-20'),
    fulfilments: [
      {
        id: 'swim-extra-1',
        body: { delivered_on: '2025-03-20', measure: money('10000.00') },
        confirmedBy: 'swimming',
      },
    ],
  },
]

export const riverCommitments: readonly DemoCommitment[] = [
  {
    id: 'river-lorries',
    from: 'logistics',
    to: 'rivers',
    body: { kind: 'goods', title: 'Lorry days for river clean-ups', measure: quantity('24', 'day') },
    steps: agreed('rivers', '2024-02-01'),
    later: [
      {
        verb: 'release',
        to: 'released',
        body: (party) => ({ party_id: party('rivers'), reason: 'The fleet was needed for flood relief.' }),
      },
    ],
  },
  {
    id: 'river-grant',
    from: 'logistics',
    to: 'rivers',
    body: { kind: 'cash', title: 'Yearly grant', measure: money('20000.00', 'GBP') },
    steps: agreed('rivers', '2024-02-01'),
    later: [
      {
        verb: 'cancel',
        to: 'cancelled',
        body: (party) => ({ party_id: party('logistics'), reason: 'Our strategy has changed.' }),
      },
    ],
  },
  {
    id: 'river-talks',
    from: 'rivers',
    to: 'logistics',
    body: { kind: 'knowledge_data', title: 'Talks on clean water', mode: 'online', measure: quantity('6', 'event') },
    steps: agreed('logistics', '2024-02-02'),
    fulfilments: [
      {
        id: 'river-talks-1',
        body: {
          delivered_on: '2024-09-12',
          measure: quantity('4', 'event'),
          mode: 'online',
          reach: { audience: 2300, countries: ['GB', 'NL'] },
        },
        confirmedBy: 'logistics',
      },
    ],
  },
]
