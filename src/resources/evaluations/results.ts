import type { ReadTx } from '../../db/database.ts'
import { templateOf, templateOfRound } from '../evaluation-templates/read.ts'
import { textsRead } from './answer-store.ts'
import type { Charted } from './chart.ts'
import { readShown } from './responses.ts'
import type { Evaluation } from './schemas.ts'
import type { EvaluationScores, EvaluationTexts } from './score-schemas.ts'
import { earlierRounds, scoresRead } from './score-store.ts'
import { gapsOf, gapThreshold, orderedSides, type ScoreRow, type Side } from './scoring.ts'
import { spreadBeyond } from './suppression.ts'
import { shownTexts } from './texts.ts'
import { changesSince, understandingOf } from './understanding.ts'

/** Two answers are the fewest that can differ. */
const spreadFrom = (k: number | null): number => (k === null ? 2 : k + spreadBeyond)

/** The frozen scores of a round, how far its sides are apart, and how it compares with the rounds before. */
export async function readScores(tx: ReadTx, id: string): Promise<EvaluationScores> {
  const evaluation = await readShown(tx, id)
  const [template, scores, previous] = await Promise.all([
    templateOfRound(tx, evaluation),
    scoresRead(tx, id),
    earlierRounds(tx, evaluation),
  ])
  const sides = orderedSides(scores.map(({ side }) => side))
  const [last] = previous
  const before = last && (await templateOf(tx, evaluation.template_code, last.template_version))
  return {
    evaluation_id: id,
    template_code: evaluation.template_code,
    template_version: evaluation.template_version,
    as_of: evaluation.closed_at ?? evaluation.updated_at,
    thresholds: {
      gap: gapThreshold,
      minimum_per_side: evaluation.minimum_per_side,
      spread_from: spreadFrom(evaluation.minimum_per_side),
    },
    scores,
    gaps: sides.length < 2 ? null : gapsOf(scores, sides),
    gaps_reason: sides.length < 2 ? 'one_side_only' : null,
    understanding: understandingOf(template, scores, sides),
    previous: previous.map((round) => ({
      ...round,
      scores: round.scores.filter(({ level }) => level === 'overall' || level === 'dimension'),
    })),
    changes:
      last && before
        ? changesSince({ template, scores }, { template: before, scores: asked(evaluation, last.scores, sides) })
        : [],
  }
}

/** An organisation is compared with itself, though its sector may have changed since. */
const asked = ({ organisation_id }: Evaluation, scores: readonly ScoreRow[], [side]: readonly Side[]): ScoreRow[] =>
  scores.map((row) => (organisation_id === null || side === undefined ? row : { ...row, side }))

/** What the picture of a round is drawn from: the same frozen scores. */
export async function readCharted(tx: ReadTx, id: string): Promise<Charted> {
  const evaluation = await readShown(tx, id)
  const [template, scores] = await Promise.all([templateOfRound(tx, evaluation), scoresRead(tx, id)])
  return { evaluation, template, scores }
}

/** What was answered in words, as far as it is shown. */
export async function readTexts(tx: ReadTx, id: string): Promise<EvaluationTexts> {
  const evaluation = await readShown(tx, id)
  const [template, rows, scores] = await Promise.all([
    templateOfRound(tx, evaluation),
    textsRead(tx, id),
    scoresRead(tx, id),
  ])
  const sides = orderedSides(scores.map(({ side }) => side))
  const texts = shownTexts(template, rows, sides, evaluation.response_mode === 'individual')
  return { evaluation_id: id, as_of: evaluation.closed_at ?? evaluation.updated_at, texts }
}
