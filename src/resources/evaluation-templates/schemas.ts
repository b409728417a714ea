import { type Static, Type } from 'typebox'
import { codes, nullable, pageOf, ref, TextByLanguage } from '../../core/schemas.ts'

export const subjects = ['partnership', 'organisation'] as const
export const scales = ['likert5', 'likert7', 'rag3', 'anchored5', 'yes_no', 'text'] as const
export const perspectives = ['own', 'predict_other'] as const

export type Scale = (typeof scales)[number]

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

export const EvaluationTemplate = Type.Object(
  {
    code: Type.String({ examples: ['partnership-review'] }),
    version: Type.Integer({ minimum: 1, description: 'A template never changes: new wording is a new version' }),
    title: ref(TextByLanguage),
    introduction: ref(TextByLanguage),
    subject: codes(subjects, { description: 'What a round on it judges' }),
    licence: nullable(
      Type.String({ description: 'An SPDX identifier; null where none is stated', examples: ['Apache-2.0'] }),
    ),
    dimensions: Type.Array(ref(EvaluationDimension)),
    items: Type.Array(ref(EvaluationItem)),
  },
  { $id: 'EvaluationTemplate', description: 'The questions of an evaluation round, in several languages' },
)
export type EvaluationTemplate = Static<typeof EvaluationTemplate>
export type EvaluationItem = Static<typeof EvaluationItem>

export const EvaluationTemplatePage = pageOf(EvaluationTemplate, 'EvaluationTemplatePage')

export const evaluationTemplateSchemas = [
  EvaluationDimension,
  EvaluationAnchor,
  EvaluationItem,
  EvaluationTemplate,
  EvaluationTemplatePage,
]
