import { complete } from './scales.ts'

/** How ready an organisation is for alliances that last through a crisis: judged by the organisation itself. */
export const allianceReadiness = complete({
  id: '019b76da-a800-764b-a4b5-414ecf7e2bbf',
  code: 'alliance-readiness',
  version: 1,
  created_at: '2026-01-01T00:00:00+00:00',
  title: { nl: 'Klaar voor samenwerking', en: 'Alliance readiness' },
  introduction: {
    nl: 'Deze vragenlijst gaat over uw eigen organisatie: hoe zij met haar partners omgaat, ook als het tegenzit. De vijf onderwerpen zijn de thema’s waarop deze dienst is gebouwd: wederkerigheid, flexibiliteit, sensitiviteit, veranderen en evalueren, en strategische verankering. “Wij” is uw organisatie, “partners” zijn de bedrijven of organisaties waarmee u langdurig samenwerkt.',
    en: 'This questionnaire is about your own organisation: how it deals with its partners, in adversity too. Its five subjects are the themes on which this service is built: reciprocity, flexibility, sensitivity, changing and evaluating, and strategic anchoring. “We” are your organisation, “partners” are the companies or organisations with which you collaborate over a longer time.',
  },
  subject: 'organisation',
  licence: 'Apache-2.0',
  dimensions: [
    { code: 'reciprocity', label: { nl: 'Wederkerigheid', en: 'Reciprocity' }, weight: 1 },
    { code: 'flexibility', label: { nl: 'Flexibiliteit', en: 'Flexibility' }, weight: 1 },
    { code: 'sensitivity', label: { nl: 'Sensitiviteit', en: 'Sensitivity' }, weight: 1 },
    { code: 'change_and_evaluate', label: { nl: 'Veranderen en evalueren', en: 'Change and evaluate' }, weight: 1 },
    { code: 'strategic_anchoring', label: { nl: 'Strategische verankering', en: 'Strategic anchoring' }, weight: 1 },
  ],
  items: [
    {
      code: 'reciprocity_know_return',
      dimension: 'reciprocity',
      statement: {
        nl: 'Van elke partner weten wij wat die van ons terugverwacht.',
        en: 'Of every partner we know what it expects from us in return.',
      },
    },
    {
      code: 'reciprocity_own_promises_tracked',
      dimension: 'reciprocity',
      statement: {
        nl: 'Onze eigen toezeggingen houden wij net zo goed bij als die van onze partners.',
        en: 'We keep track of our own promises as well as of those of our partners.',
      },
    },
    {
      code: 'reciprocity_only_ask',
      dimension: 'reciprocity',
      statement: {
        nl: 'Partners horen vooral van ons als wij iets nodig hebben.',
        en: 'Partners hear from us mainly when we need something.',
      },
      reverse: true,
    },
    {
      code: 'flexibility_alternatives',
      dimension: 'flexibility',
      statement: {
        nl: 'Kan een activiteit niet doorgaan, dan hebben wij snel een alternatief voor onze partner.',
        en: 'When an activity cannot go ahead, we soon have an alternative for our partner.',
      },
    },
    {
      code: 'flexibility_room_to_decide',
      dimension: 'flexibility',
      statement: {
        nl: 'Onze relatiebeheerders mogen zelf afspraken aanpassen binnen heldere grenzen.',
        en: 'Our alliance managers may adapt agreements themselves, within clear limits.',
      },
    },
    {
      code: 'flexibility_stuck_in_plan',
      dimension: 'flexibility',
      statement: {
        nl: 'Wij houden vast aan het oorspronkelijke plan, ook als het niet meer past.',
        en: 'We hold on to the original plan, even when it no longer fits.',
      },
      reverse: true,
    },
    {
      code: 'sensitivity_know_situation',
      dimension: 'sensitivity',
      statement: {
        nl: 'Wij weten hoe onze partners ervoor staan en wat hen bezighoudt.',
        en: 'We know how our partners are doing and what is on their minds.',
      },
    },
    {
      code: 'sensitivity_step_back',
      dimension: 'sensitivity',
      statement: {
        nl: 'Wij durven een stap terug te doen als een partner zwaar weer heeft.',
        en: 'We dare to step back when a partner is in heavy weather.',
      },
    },
    {
      code: 'sensitivity_tone',
      dimension: 'sensitivity',
      statement: {
        nl: 'Voordat wij met een partner naar buiten treden, vragen wij of toon en moment gepast zijn.',
        en: 'Before we go public with a partner, we ask whether tone and moment are fitting.',
      },
    },
    {
      code: 'change_regular_evaluation',
      dimension: 'change_and_evaluate',
      statement: {
        nl: 'Hoe evalueert uw organisatie haar samenwerkingen?',
        en: 'How does your organisation evaluate its collaborations?',
      },
      scale: 'anchored5',
      anchors: [
        { nl: 'Niet', en: 'Not at all' },
        { nl: 'Alleen als er iets misgaat', en: 'Only when something goes wrong' },
        { nl: 'Soms, en zonder vaste vorm', en: 'Sometimes, and without a fixed form' },
        { nl: 'Regelmatig, samen met de partner', en: 'Regularly, together with the partner' },
        {
          nl: 'Regelmatig, samen met de partner, en de uitkomst leidt tot besluiten',
          en: 'Regularly, together with the partner, and the outcome leads to decisions',
        },
      ],
    },
    {
      code: 'change_after_events',
      dimension: 'change_and_evaluate',
      statement: {
        nl: 'Na een grote verandering bij ons of bij een partner leggen wij de afspraken opnieuw naast elkaar.',
        en: 'After a great change at our side or a partner’s, we look at the agreements afresh.',
      },
    },
    {
      code: 'change_what_is_done_with_it',
      dimension: 'change_and_evaluate',
      statement: {
        nl: 'Welke les uit een evaluatie heeft uw werkwijze het laatst veranderd?',
        en: 'Which lesson from an evaluation last changed the way you work?',
      },
      scale: 'text',
      optional: true,
    },
    {
      code: 'strategy_contribution_clear',
      dimension: 'strategic_anchoring',
      statement: {
        nl: 'Van elke samenwerking kunnen wij zeggen aan welk doel van onze strategie zij bijdraagt.',
        en: 'Of every collaboration we can say to which aim of our strategy it contributes.',
      },
    },
    {
      code: 'strategy_board_involved',
      dimension: 'strategic_anchoring',
      statement: {
        nl: 'Onze directie bespreekt de belangrijkste samenwerkingen ten minste eens per jaar.',
        en: 'Our management discusses the main collaborations at least once a year.',
      },
      scale: 'yes_no',
    },
    {
      code: 'strategy_cannot_say_no',
      dimension: 'strategic_anchoring',
      statement: {
        nl: 'Wij zeggen ja tegen partners die eigenlijk niet bij onze koers passen.',
        en: 'We say yes to partners that do not really fit our course.',
      },
      reverse: true,
    },
  ],
})
