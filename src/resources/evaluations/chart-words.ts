export const chartLanguages = ['en', 'nl'] as const
export type ChartLanguage = (typeof chartLanguages)[number]

/** What the picture of a round says, beside the names of its dimensions. */
export interface ChartWords {
  kinds: Readonly<Record<string, string>>
  evaluation: string
  sides: Readonly<Record<string, string>>
  period(from: string, to: string): string
  answered(n: number): string
  overall: string
  withheld: string
  noAnswer: string
  apart(gap: string): string
  wide(threshold: string): string
  isWithheld(k: number): string
  scale: string
  none: string
}

export const chartWords: Readonly<Record<ChartLanguage, ChartWords>> = {
  en: {
    kinds: {
      baseline: 'Baseline evaluation',
      periodic: 'Periodic evaluation',
      disruption: 'Evaluation in a disruption',
      renewal: 'Evaluation before renewal',
      exit: 'Closing evaluation',
      readiness: 'Readiness to collaborate',
    },
    evaluation: 'Evaluation',
    sides: { company: 'Company', non_profit: 'Non-profit', public: 'Public body', other: 'Other' },
    period: (from, to) => `${from} to ${to}`,
    answered: (n) => `${n} answered`,
    overall: 'Overall',
    withheld: 'withheld',
    noAnswer: 'no answer',
    apart: (gap) => `${gap} apart`,
    wide: (threshold) => `Thick line: ${threshold} points apart or more`,
    isWithheld: (k) => `Withheld: it would tell of fewer than ${k} persons`,
    scale: '0 to 100, higher is better',
    none: 'There is nothing to show: no side was asked.',
  },
  nl: {
    kinds: {
      baseline: 'Nulmeting',
      periodic: 'Periodieke evaluatie',
      disruption: 'Evaluatie bij een crisis',
      renewal: 'Evaluatie voor de verlenging',
      exit: 'Slotevaluatie',
      readiness: 'Klaar om samen te werken',
    },
    evaluation: 'Evaluatie',
    sides: { company: 'Bedrijf', non_profit: 'Goed doel', public: 'Overheid', other: 'Overig' },
    period: (from, to) => `${from} tot en met ${to}`,
    answered: (n) => (n === 1 ? '1 antwoord' : `${n} antwoorden`),
    overall: 'Het geheel',
    withheld: 'niet getoond',
    noAnswer: 'geen antwoord',
    apart: (gap) => `${gap} verschil`,
    wide: (threshold) => `Dikke lijn: ${threshold} punten verschil of meer`,
    isWithheld: (k) => `Niet getoond: het zou over minder dan ${k} mensen gaan`,
    scale: '0 tot 100, hoger is beter',
    none: 'Er is niets te tonen: geen kant is gevraagd.',
  },
}
