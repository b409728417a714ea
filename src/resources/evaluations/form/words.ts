/** What the page itself says to respondents, beside the questionnaire. */
export interface Words {
  about(organisation: string, partnership: string): string
  aboutItself(organisation: string): string
  period(from: string, to: string): string
  until(deadline: string): string
  individual(k: number): string
  individualItself(k: number): string
  inName(organisation: string): string
  notApplicable: string
  optional: string
  yourWords: string
  noNames: string
  save: string
  submit: string
  onlyOnce: string
  decline: string
  declineAsk: string
  declineDo: string
  saved: string
  faults(count: number): string
  mustAnswer: string
  mustWrite: string
  both: string
  tooLong: string
  otherLanguage: string
  predicts: string
  answered: { title: string; text: string }
  declined: { title: string; text: string }
  not_open: { title: string; text: string }
  closed: { title: string; text: string }
  unknown: { title: string; text: string }
  busy: { title: string; text: string }
  failed: { title: string; text: string }
}

const nl: Words = {
  about: (organisation, partnership) => `Vragen aan ${organisation} over de samenwerking “${partnership}”`,
  aboutItself: (organisation) => `Vragen aan ${organisation} over de eigen organisatie`,
  period: (from, to) => `Het gaat over de periode van ${from} tot en met ${to}.`,
  until: (deadline) => `U kunt antwoorden tot ${deadline}.`,
  individual: (k) =>
    `Uw antwoorden tellen alleen mee in het geheel van uw kant, en dat wordt pas getoond als er minstens ${k} mensen hebben geantwoord. Niemand ziet wat u hebt geantwoord. Dát u hebt geantwoord is wel te zien.`,
  individualItself: (k) =>
    `Uw antwoorden tellen alleen mee in het geheel van uw organisatie, en dat wordt pas getoond als er minstens ${k} mensen hebben geantwoord. Niemand ziet wat u hebt geantwoord. Dát u hebt geantwoord is wel te zien.`,
  inName: (organisation) =>
    `U antwoordt namens ${organisation}. Uw antwoorden worden getoond zodra de ronde gesloten is, eerder niet.`,
  notApplicable: 'niet van toepassing',
  optional: '(mag u overslaan)',
  yourWords: 'In uw eigen woorden',
  noNames: 'Noem geen namen en schrijf niets waaraan u te herkennen bent.',
  save: 'Bewaren en later verdergaan',
  submit: 'Versturen',
  onlyOnce: 'Na het versturen kunt u uw antwoorden niet meer wijzigen.',
  decline: 'Ik wil niet antwoorden',
  declineAsk: 'Weet u het zeker? Wat u hebt ingevuld wordt dan weggegooid.',
  declineDo: 'Ja, ik antwoord niet',
  saved: 'Uw antwoorden zijn bewaard. In deze browser kunt u later verdergaan met dezelfde link.',
  faults: (count) =>
    count === 1 ? 'Eén vraag is nog niet goed beantwoord' : `${count} vragen zijn nog niet goed beantwoord`,
  mustAnswer: 'Kies een antwoord, of “niet van toepassing”.',
  mustWrite: 'Schrijf een antwoord, of kies “niet van toepassing”.',
  both: 'Schrijf een antwoord of kies “niet van toepassing”, niet allebei.',
  tooLong: 'Schrijf hier hooguit 10.000 tekens.',
  otherLanguage: 'Taal',
  predicts: 'Wat denkt u dat de ander hierop antwoordt?',
  answered: { title: 'Dank u wel', text: 'Uw antwoorden zijn ontvangen. U kunt deze pagina sluiten.' },
  declined: { title: 'U antwoordt niet', text: 'Dat is genoteerd. U kunt deze pagina sluiten.' },
  not_open: {
    title: 'Nog even geduld',
    text: 'De vragen kunnen nog niet worden beantwoord. Probeer het later opnieuw.',
  },
  closed: { title: 'De ronde is gesloten', text: 'De vragen kunnen niet meer worden beantwoord.' },
  unknown: {
    title: 'Deze link werkt niet',
    text: 'Misschien is de link niet helemaal gekopieerd, of hebt u een nieuwe gekregen. Vraag degene die u heeft uitgenodigd om een nieuwe link.',
  },
  busy: { title: 'Even wachten', text: 'Er komen te veel aanvragen. Probeer het over een minuut opnieuw.' },
  failed: { title: 'Er ging iets mis', text: 'Ga terug in uw browser en probeer het opnieuw.' },
}

const en: Words = {
  about: (organisation, partnership) => `Questions to ${organisation} about the partnership “${partnership}”`,
  aboutItself: (organisation) => `Questions to ${organisation} about itself`,
  period: (from, to) => `They are about the time from ${from} to ${to}.`,
  until: (deadline) => `You can answer until ${deadline}.`,
  individual: (k) =>
    `Your answers count only within the whole of your side, which is shown only once at least ${k} people have answered. Nobody sees what you answered. That you answered can be seen.`,
  individualItself: (k) =>
    `Your answers count only within the whole of your organisation, which is shown only once at least ${k} people have answered. Nobody sees what you answered. That you answered can be seen.`,
  inName: (organisation) =>
    `You answer on behalf of ${organisation}. Your answers are shown once the round is closed, and not before.`,
  notApplicable: 'not applicable',
  optional: '(you may leave this out)',
  yourWords: 'In your own words',
  noNames: 'Name no names, and write nothing by which you could be recognised.',
  save: 'Save and go on later',
  submit: 'Send',
  onlyOnce: 'Once they are sent you cannot change your answers.',
  decline: 'I do not want to answer',
  declineAsk: 'Are you sure? What you have filled in will be thrown away.',
  declineDo: 'Yes, I will not answer',
  saved: 'Your answers are saved. In this browser you can go on later with the same link.',
  faults: (count) => (count === 1 ? 'One question still needs an answer' : `${count} questions still need an answer`),
  mustAnswer: 'Choose an answer, or “not applicable”.',
  mustWrite: 'Write an answer, or choose “not applicable”.',
  both: 'Write an answer or choose “not applicable”, not both.',
  tooLong: 'Write at most 10,000 characters here.',
  otherLanguage: 'Language',
  predicts: 'What do you think the other side answers to this?',
  answered: { title: 'Thank you', text: 'Your answers have arrived. You can close this page.' },
  declined: { title: 'You will not answer', text: 'That has been noted. You can close this page.' },
  not_open: { title: 'Not open yet', text: 'The questions cannot be answered yet. Please try again later.' },
  closed: { title: 'The round is closed', text: 'The questions can no longer be answered.' },
  unknown: {
    title: 'This link does not work',
    text: 'Perhaps it was not copied as a whole, or you were sent a newer one. Ask whoever invited you for a new link.',
  },
  busy: { title: 'One moment', text: 'There are too many requests. Please try again in a minute.' },
  failed: { title: 'Something went wrong', text: 'Go back in your browser and try again.' },
}

/** What can be wrong with an answer. */
export type Fault = 'mustAnswer' | 'mustWrite' | 'both' | 'tooLong'

/**
 * The words of the page in a language; where it has none of its own, in English, and the page says which they are in.
 * `dates` is the language of the days among them.
 */
export function wordsIn(language: string): { words: Words; spoken: string; dates: string } {
  const plain = language.toLowerCase().split('-')[0]
  if (plain === 'nl') return { words: nl, spoken: 'nl', dates: language }
  return { words: en, spoken: 'en', dates: plain === 'en' ? language : 'en' }
}

const fromTheRight = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Mend', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa', 'Yezi'])

/** Which way a language is written, by the script that it is written in. */
export function directionOf(language: string): 'ltr' | 'rtl' {
  try {
    return fromTheRight.has(new Intl.Locale(language).maximize().script ?? '') ? 'rtl' : 'ltr'
  } catch {
    return 'ltr'
  }
}
