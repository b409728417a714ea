import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  line,
  nullable,
  recordHead,
  recordTail,
  recordTailWrite,
  ref,
  strictObject,
  TextByLanguage,
} from '../../core/schemas.ts'

export const subjects = ['partnership', 'organisation'] as const
export const scales = ['likert5', 'likert7', 'rag3', 'anchored5', 'yes_no', 'text'] as const
export const perspectives = ['own', 'predict_other'] as const
export const templateStatuses = ['active', 'retired'] as const
export const templateOrigins = ['built_in', 'own'] as const

export type Scale = (typeof scales)[number]

/** The code of a template, a dimension or an item. */
const code = (options: object = {}) =>
  Type.String({ minLength: 1, maxLength: 100, pattern: '^[a-z][a-z0-9]*([_-][a-z0-9]+)*$', ...options })

export const EvaluationDimension = Type.Object(
  {
    code: Type.String(),
    label: ref(TextByLanguage),
    weight: Type.Integer({ minimum: 1, description: 'Relative: in the whole, a dimension of weight 2 counts twice' }),
  },
  {
    $id: 'EvaluationDimension',
    description: 'What several items of a template ask about',
    examples: [{ code: 'organisation', label: { nl: 'Organisatie', en: 'Organisation' }, weight: 1 }],
  },
)

export const EvaluationAnchor = Type.Object(
  { score: Type.Integer(), label: ref(TextByLanguage) },
  { $id: 'EvaluationAnchor', description: 'What a point of a scale means' },
)

export const EvaluationItem = Type.Object(
  {
    code: Type.String(),
    dimension: Type.String({ description: 'The code of its dimension' }),
    statement: ref(TextByLanguage),
    scale: codes(scales),
    minimum: nullable(Type.Integer({ description: 'The lowest score; null for a text' })),
    maximum: nullable(Type.Integer({ description: 'The highest score; null for a text' })),
    anchors: Type.Array(ref(EvaluationAnchor), {
      description: 'The points of the scale, lowest first; none for a text',
    }),
    reverse: Type.Boolean({
      description: 'Agreement speaks against the collaboration: the score counts as 100 − score',
    }),
    required: Type.Boolean({ description: 'Every response must speak of it, be it as not applicable' }),
    perspective: codes(perspectives, {
      description: 'own: what the respondent finds; predict_other: what it expects the other side to answer',
    }),
    predicts: nullable(
      Type.String({ description: 'Of predict_other: the item of the other side whose answer it predicts' }),
    ),
  },
  {
    $id: 'EvaluationItem',
    description: 'A statement to judge, or a question to answer in words',
    examples: [
      {
        code: 'organisation_agreements_written',
        dimension: 'organisation',
        statement: { nl: 'De afspraken staan op papier.', en: 'The agreements are in writing.' },
        scale: 'yes_no',
        minimum: 0,
        maximum: 1,
        anchors: [
          { score: 0, label: { nl: 'nee', en: 'no' } },
          { score: 1, label: { nl: 'ja', en: 'yes' } },
        ],
        reverse: false,
        required: true,
        perspective: 'own',
        predicts: null,
      },
    ],
  },
)
export type EvaluationItem = Static<typeof EvaluationItem>

export const EvaluationTemplate = Type.Object(
  {
    ...recordHead,
    version: Type.Integer({
      minimum: 1,
      description:
        'Each change makes the next version, and every version stays: a round keeps the one that it was opened with. The ETag',
    }),
    code: Type.String({ description: 'By which rounds name it', examples: ['partnership-review'] }),
    origin: codes(templateOrigins, { description: 'built_in: part of the service, and never changed by anyone' }),
    status: codes(templateStatuses, { description: 'retired: no further round is planned on it' }),
    title: ref(TextByLanguage),
    introduction: nullable(ref(TextByLanguage)),
    subject: codes(subjects, { description: 'What a round on it judges' }),
    licence: nullable(
      Type.String({ description: 'An SPDX identifier; null where none is stated', examples: ['Apache-2.0'] }),
    ),
    dimensions: Type.Array(ref(EvaluationDimension)),
    items: Type.Array(ref(EvaluationItem)),
    ...recordTail,
  },
  { $id: 'EvaluationTemplate', description: 'The questions of an evaluation round, in one language or several' },
)
export type EvaluationTemplate = Static<typeof EvaluationTemplate>

const DimensionWrite = strictObject(
  {
    code: code(),
    label: ref(TextByLanguage),
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 1 })),
  },
  { $id: 'EvaluationDimensionWrite', examples: [{ code: 'trust', label: { nl: 'Vertrouwen' }, weight: 2 }] },
)

const AnchorWrite = strictObject(
  { score: Type.Integer({ minimum: 0, maximum: 7 }), label: ref(TextByLanguage) },
  { $id: 'EvaluationAnchorWrite', examples: [{ score: 1, label: { nl: 'nooit' } }] },
)

const ItemWrite = strictObject(
  {
    code: code(),
    dimension: code({ description: 'The code of one of the dimensions' }),
    statement: ref(TextByLanguage),
    scale: Type.Optional(
      codes(scales, { description: 'Left out: likert5; of a prediction, that of what it predicts' }),
    ),
    anchors: Type.Optional(
      nullable(
        Type.Array(ref(AnchorWrite), {
          maxItems: 7,
          description:
            'What each point of the scale means, lowest first. Needed for anchored5; the others have words of their own, ' +
            'in Dutch and English',
        }),
      ),
    ),
    reverse: Type.Optional(Type.Boolean({ description: 'Left out: false; of a prediction, as what it predicts' })),
    required: Type.Optional(Type.Boolean({ description: 'Where it is left out: true, false for a text' })),
    perspective: Type.Optional(codes(perspectives, { default: 'own' })),
    predicts: Type.Optional(
      nullable(code({ description: 'Of predict_other: an own item of the same scale, and reverse where that is' })),
    ),
  },
  {
    $id: 'EvaluationItemWrite',
    examples: [{ code: 'trust_open', dimension: 'trust', statement: { nl: 'Wij zijn open tegen elkaar.' } }],
  },
)
export type ItemWrite = Static<typeof ItemWrite>

/** What a client may write; what is left out takes its default, or becomes null. */
export const EvaluationTemplateWrite = strictObject(
  {
    code: code({ description: 'Never changes: rounds name the template by it', examples: ['trust-scan'] }),
    title: ref(TextByLanguage),
    introduction: Type.Optional(nullable(ref(TextByLanguage))),
    subject: Type.Optional(codes(subjects, { default: 'partnership', description: 'Never changes' })),
    status: Type.Optional(codes(templateStatuses, { default: 'active' })),
    licence: Type.Optional(
      nullable(line(200, { description: 'Under which it may be used, best as an SPDX identifier' })),
    ),
    dimensions: Type.Array(ref(DimensionWrite), { minItems: 1, maxItems: 30 }),
    items: Type.Array(ref(ItemWrite), { minItems: 1, maxItems: 200 }),
    ...recordTailWrite,
  },
  {
    $id: 'EvaluationTemplateWrite',
    description:
      'Its languages are those of the title, Dutch or English among them; every other text is given in the same ones.',
    examples: [
      {
        code: 'trust-scan',
        title: { nl: 'Vertrouwen in elkaar', en: 'Trust in each other' },
        licence: 'CC-BY-4.0',
        dimensions: [{ code: 'trust', label: { nl: 'Vertrouwen', en: 'Trust' }, weight: 2 }],
        items: [
          {
            code: 'trust_open',
            dimension: 'trust',
            statement: { nl: 'Wij zijn open tegen elkaar.', en: 'We are open with each other.' },
            scale: 'likert7',
          },
          {
            code: 'other_trust_open',
            dimension: 'trust',
            statement: { nl: 'Wij zijn open tegen elkaar.', en: 'We are open with each other.' },
            scale: 'likert7',
            perspective: 'predict_other',
            predicts: 'trust_open',
          },
          {
            code: 'trust_change',
            dimension: 'trust',
            statement: { nl: 'Wat zou het vertrouwen vergroten?', en: 'What would add to the trust?' },
            scale: 'text',
          },
        ],
      },
    ],
  },
)
export type EvaluationTemplateWrite = Static<typeof EvaluationTemplateWrite>

export const EvaluationTemplatePatch = patchOf(EvaluationTemplateWrite, 'EvaluationTemplatePatch', {
  examples: [{ title: { nl: 'Vertrouwen in elkaar', en: 'Trust in each other' } }],
})

/** The writable members of a template, complete. */
export type TemplateState = Omit<EvaluationTemplate, 'id' | 'version' | 'created_at' | 'updated_at' | 'origin'>

export const evaluationTemplateSchemas = [
  EvaluationDimension,
  EvaluationAnchor,
  EvaluationItem,
  EvaluationTemplate,
  DimensionWrite,
  AnchorWrite,
  ItemWrite,
  EvaluationTemplateWrite,
  EvaluationTemplatePatch,
]
