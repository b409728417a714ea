import { complete } from './scales.ts'

/** How both sides judge their collaboration: answered by each for itself. */
export const partnershipReview = complete({
  id: '019b76da-a800-7727-bfb7-b65c832949db',
  code: 'partnership-review',
  version: 1,
  created_at: '2026-01-01T00:00:00+00:00',
  title: { nl: 'Terugblik op de samenwerking', en: 'Partnership review' },
  introduction: {
    nl: 'Beantwoord de stellingen vanuit uw organisatie. “Wij” en “onze organisatie” gaan over uw eigen organisatie, “de ander” over uw partner of partners, “samen” en “elkaar” over u beiden. Antwoord zoals het nu is, niet zoals het zou moeten zijn. Past een stelling niet bij deze samenwerking, kies dan “niet van toepassing”. De uitkomst is pas te zien als de ronde is gesloten.',
    en: 'Answer from where your organisation stands. “We” and “our organisation” are your own organisation, “the other side” is your partner or partners, “together” and “each other” are both of you. Answer as things are now, not as they should be. Choose “not applicable” for a statement that does not fit this collaboration. The outcome shows only once the round is closed.',
  },
  subject: 'partnership',
  licence: 'Apache-2.0',
  dimensions: [
    { code: 'why', label: { nl: 'Waarom', en: 'Why' }, weight: 2 },
    { code: 'reciprocity', label: { nl: 'Wederkerigheid', en: 'Reciprocity' }, weight: 2 },
    { code: 'relationship', label: { nl: 'Relatie', en: 'Relationship' }, weight: 2 },
    { code: 'organisation', label: { nl: 'Organisatie', en: 'Organisation' }, weight: 1 },
    { code: 'flexibility', label: { nl: 'Flexibiliteit', en: 'Flexibility' }, weight: 1 },
    { code: 'impact', label: { nl: 'Impact', en: 'Impact' }, weight: 2 },
  ],
  items: [
    {
      code: 'why_goal_clear',
      dimension: 'why',
      statement: {
        nl: 'Het is voor ons helder wat we samen willen bereiken.',
        en: 'It is clear to us what we want to achieve together.',
      },
    },
    {
      code: 'why_fits_strategy',
      dimension: 'why',
      statement: {
        nl: 'Deze samenwerking draagt bij aan wat onze organisatie de komende jaren wil bereiken.',
        en: 'This collaboration contributes to what our organisation wants to achieve in the coming years.',
      },
    },
    {
      code: 'why_leans_on_one_person',
      dimension: 'why',
      statement: {
        nl: 'Als onze vaste contactpersoon vertrekt, verdwijnt bij ons ook het draagvlak voor deze samenwerking.',
        en: 'If our regular contact person left, the support for this collaboration within our organisation would go too.',
      },
      reverse: true,
    },
    {
      code: 'reciprocity_balance',
      dimension: 'reciprocity',
      statement: {
        nl: 'Hoe staat het met de balans tussen geven en ontvangen?',
        en: 'How is the balance between giving and receiving?',
      },
      scale: 'anchored5',
      anchors: [
        {
          nl: 'Uit balans: de een geeft bijna alles, de ander bijna niets',
          en: 'Out of balance: one side gives nearly everything, the other nearly nothing',
        },
        { nl: 'Vaak uit balans, en daar praten we niet over', en: 'Often out of balance, and we do not talk about it' },
        {
          nl: 'Soms uit balans; we bespreken het, maar er verandert weinig',
          en: 'Sometimes out of balance; we discuss it, but little changes',
        },
        {
          nl: 'Meestal in balans; loopt het scheef, dan sturen we bij',
          en: 'Mostly in balance; when it tilts, we correct it',
        },
        { nl: 'In balans, over langere tijd bekeken', en: 'In balance, seen over a longer time' },
      ],
    },
    {
      code: 'reciprocity_other_keeps_promises',
      dimension: 'reciprocity',
      statement: { nl: 'De ander doet wat is afgesproken.', en: 'The other side does what was agreed.' },
    },
    {
      code: 'reciprocity_we_keep_promises',
      dimension: 'reciprocity',
      statement: { nl: 'Wij doen wat we hebben toegezegd.', en: 'We do what we have promised.' },
    },
    {
      code: 'reciprocity_effort_unseen',
      dimension: 'reciprocity',
      statement: {
        nl: 'De ander onderschat wat deze samenwerking ons aan tijd en middelen kost.',
        en: 'The other side underestimates what this collaboration costs us in time and means.',
      },
      reverse: true,
    },
    {
      code: 'relationship_bad_news',
      dimension: 'relationship',
      statement: {
        nl: 'Slecht nieuws horen we van elkaar, en op tijd.',
        en: 'We hear bad news from each other, and in time.',
      },
    },
    {
      code: 'relationship_disagreement',
      dimension: 'relationship',
      statement: {
        nl: 'Zijn we het niet eens, dan kunnen we dat open bespreken.',
        en: 'When we disagree, we can discuss it openly.',
      },
    },
    {
      code: 'relationship_one_decides',
      dimension: 'relationship',
      statement: {
        nl: 'Als het erop aankomt, beslist één van beide en volgt de ander.',
        en: 'When it matters, one side decides and the other follows.',
      },
      reverse: true,
    },
    {
      code: 'organisation_whom_to_ask',
      dimension: 'organisation',
      statement: {
        nl: 'Wij weten bij wie van de ander we met welke vraag terechtkunnen.',
        en: 'We know whom at the other side to ask about what.',
      },
    },
    {
      code: 'organisation_agreements_written',
      dimension: 'organisation',
      statement: {
        nl: 'De afspraken die nu gelden, staan op papier en zijn bij ons bekend.',
        en: 'The agreements that hold now are in writing and known within our organisation.',
      },
      scale: 'yes_no',
    },
    {
      code: 'organisation_enough_capacity',
      dimension: 'organisation',
      statement: {
        nl: 'Wij maken genoeg tijd en mensen vrij om deze samenwerking goed te laten lopen.',
        en: 'We set enough time and people aside to make this collaboration run well.',
      },
    },
    {
      code: 'flexibility_adapts_in_time',
      dimension: 'flexibility',
      statement: {
        nl: 'Veranderen de omstandigheden, dan passen we onze plannen samen op tijd aan.',
        en: 'When circumstances change, we adapt our plans together in time.',
      },
    },
    {
      code: 'flexibility_other_form',
      dimension: 'flexibility',
      statement: {
        nl: 'Kan iets niet doorgaan zoals bedacht, dan vinden we samen een andere vorm die ook werkt.',
        en: 'When something cannot go ahead as planned, together we find another form that works too.',
      },
    },
    {
      code: 'flexibility_hard_times',
      dimension: 'flexibility',
      statement: {
        nl: 'Heeft een van ons het moeilijk, dan houdt de ander daar rekening mee.',
        en: 'When one of us has a hard time, the other makes allowance for it.',
      },
    },
    {
      code: 'impact_visible',
      dimension: 'impact',
      statement: {
        nl: 'We kunnen laten zien wat deze samenwerking betekent voor de mensen, dieren of natuur om wie het gaat.',
        en: 'We can show what this collaboration means for the people, animals or nature it is about.',
      },
    },
    {
      code: 'impact_more_than_alone',
      dimension: 'impact',
      statement: {
        nl: 'Samen bereiken we iets wat ons alleen niet was gelukt.',
        en: 'Together we achieve something that we could not have achieved alone.',
      },
    },
    {
      code: 'impact_learning',
      dimension: 'impact',
      statement: {
        nl: 'Wat we in deze samenwerking leren, gebruiken wij ook elders in onze organisatie.',
        en: 'What we learn in this collaboration, we also use elsewhere in our organisation.',
      },
    },
    {
      code: 'impact_first_change',
      dimension: 'impact',
      statement: {
        nl: 'Wat zou u als eerste veranderen om samen meer te bereiken?',
        en: 'What would you change first to achieve more together?',
      },
      scale: 'text',
      optional: true,
    },
  ],
})
