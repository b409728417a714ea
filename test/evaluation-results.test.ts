import fc from 'fast-check'
import t from 'tap'
import { type Cell, cellsOf, isSpreadOf, isWide, less, type Respondent } from './support/definitions.ts'
import { type Json, startService } from './support/harness.ts'
import { answersBy, scenarios } from './support/questionnaires.ts'
import { partnershipOf, plan, stepRound } from './support/rounds.ts'

// Whatever is asked, and whoever answers: what the service says of a round is what its definitions give.

const runs = Number(process.env['EVALUATION_SCENARIOS'] ?? 8)
const service = await startService(t)
const everySide = ['company', 'non_profit', 'public', 'other']
const seen = { cells: 0, withheld: 0, complementary: 0, spreads: 0, predictions: 0, changes: 0, texts: 0 }

type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never
type Given = Scenario['rounds'][number]

/** Fails with both sides of what should be equal. */
function same(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`)
}

const spelt = (rows: readonly Json[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

const partnerships = new Map<string, Json>()
async function partnershipBetween(sides: readonly string[]): Promise<Json> {
  const known = partnerships.get(sides.join())
  if (known) return known
  const made = await partnershipOf(service, 'active', sides)
  partnerships.set(sides.join(), made)
  return made
}

interface Held {
  id: string
  answered: { side: string; answers: Json[] }[]
}

/** Holds a round, asking the parties or so many persons of each. */
async function hold(partnership: Json, template: Json, scenario: Scenario, given: Given): Promise<Held> {
  const { mode, k, counts, spare } = scenario
  const isIndividual = mode === 'individual'
  const planned = await plan(service, partnership, {
    template_code: template.code,
    response_mode: mode,
    ...(isIndividual ? { minimum_per_side: k } : {}),
  })
  const asked: { party: Json; token: string; answers: boolean }[] = []
  for (const [at, party] of partnership.parties.entries()) {
    const answering = isIndividual ? (counts[at] as number) : Math.min(counts[at] as number, 1)
    const invited = isIndividual ? Math.max(k, answering) + spare : 1
    for (let one = 0; one < invited; one += 1) {
      const path = `/v1/evaluations/${planned.id}/invitations`
      const { token } = await service.make(path, { party_id: party.id })
      asked.push({ party, token, answers: one < answering })
    }
  }
  await stepRound(service, planned, 'open')
  const form = await service.get(`/v1/answers/${asked[0]?.token}?language=${Object.keys(template.title).at(-1)}`, {
    key: null,
  })
  checkForm(form.body, template)
  const answered: Held['answered'] = []
  for (const [at, { party, token, answers: isAnswering }] of asked.entries()) {
    if (!isAnswering) continue
    const who = given[at % given.length] as Given[number]
    const answers = answersBy(template, who)
    const path = `/v1/evaluations/${planned.id}/responses`
    if (isIndividual || who.byToken) await service.make(`/v1/answers/${token}/submit`, { answers }, { key: null })
    else await service.make(path, { party_id: party.id, answers })
    answered.push({ side: party.side, answers })
  }
  const { body } = await service.get(`/v1/evaluations/${planned.id}`)
  same(body.status, asked.every(({ answers }) => answers) ? 'closed' : 'open', 'the state after the last answer')
  if (body.status === 'open') await stepRound(service, body, 'close')
  return { id: planned.id, answered }
}

/** A respondent reads the questionnaire in its own language. */
function checkForm({ language, questionnaire }: Json, template: Json): void {
  same(language, Object.keys(template.title).at(-1), 'the language')
  same(
    questionnaire.questions.map(({ code, statement, required, options }: Json) => [code, statement, required, options]),
    template.items.map(({ code, statement, required, anchors }: Json) => [
      code,
      statement[language],
      required,
      anchors.map(({ score, label }: Json) => ({ score, label: label[language] })),
    ]),
    'what is asked',
  )
}

const keyOf = ({ side, level, code }: Json | Cell): string => `${level} ${code} ${side}`

/** Compares all that the service says of a round with what its definitions give. @returns the cells by their key */
function checkScores(body: Json, template: Json, cells: readonly Cell[], sides: readonly string[]): Map<string, Cell> {
  const expected = new Map(cells.map((cell) => [keyOf(cell), cell]))
  same(body.scores.map(keyOf).sort(), [...expected.keys()].sort(), 'the cells')
  for (const row of body.scores) {
    const cell = expected.get(keyOf(row)) as Cell
    const { n, score, suppression_reason } = cell
    same([row.n, row.score, row.suppression_reason], [n, score, suppression_reason], keyOf(row))
    same(row.spread === null, cell.spread === null, `whether ${keyOf(row)} has a spread`)
    if (cell.spread && !isSpreadOf(row.spread, cell.spread)) {
      throw new Error(`${keyOf(row)}: a spread of ${row.spread}, not that of ${cell.spread}`)
    }
    seen.cells += 1
    seen.spreads += cell.spread ? 1 : 0
    seen.withheld += suppression_reason ? 1 : 0
    seen.complementary += suppression_reason === 'complementary' ? 1 : 0
  }
  const scoreOf = (level: string, code: string, side: string) => expected.get(keyOf({ level, code, side }))
  const pairs = sides.flatMap((a, at) => sides.slice(at + 1).map((b) => [a, b] as const))
  const gaps = cells
    .filter(({ level, side }) => level !== 'prediction' && side === sides[0])
    .flatMap(({ level, code }) =>
      pairs.map(([a, b]) => {
        const [first, second] = [scoreOf(level, code, a), scoreOf(level, code, b)]
        const gap = less(first?.score, second?.score)
        const reason = first?.suppression_reason ?? second?.suppression_reason ?? null
        return [level, code, a, b, gap, isWide(gap), reason].join()
      }),
    )
  const found = body.gaps.map(({ level, code, sides: [a, b], gap, is_flagged, suppression_reason }: Json) =>
    [level, code, a, b, gap, is_flagged, suppression_reason].join(),
  )
  same(found.sort(), gaps.sort(), 'the gaps')
  const understood = template.items
    .filter(({ predicts }: Json) => predicts !== null)
    .flatMap(({ code, predicts }: Json) =>
      sides.flatMap((side) =>
        sides
          .filter((other) => other !== side)
          .map((other) => {
            const predicted = scoreOf('prediction', code, side)?.score ?? null
            const actual = scoreOf('item', predicts, other)?.score ?? null
            const gap = less(predicted, actual)
            return { code, predicts, side, other, predicted, actual, gap, is_flagged: isWide(gap) }
          }),
      ),
    )
  same(spelt(body.understanding), spelt(understood), 'what sides understand of each other')
  seen.predictions += understood.filter(({ gap }: Json) => gap !== null).length
  return expected
}

/** Compares what a round says of the one before. */
function checkChanges(body: Json, earlier: Map<string, Cell> | undefined, now: Map<string, Cell>): void {
  const expected = earlier
    ? [...now].map(([key, { score }]) => `${key} ${earlier.get(key)?.score} ${less(score, earlier.get(key)?.score)}`)
    : []
  const found = body.changes.map((row: Json) => `${keyOf(row)} ${row.previous} ${row.change}`)
  same(found.sort(), expected.sort(), 'the changes')
  same(body.previous.length, earlier ? 1 : 0, 'the earlier rounds')
  seen.changes += found.length
}

function checkTexts({ texts }: Json, template: Json, sides: readonly string[], held: Held, k: number | null): void {
  const expected = template.items
    .filter(({ scale }: Json) => scale === 'text')
    .flatMap(({ code }: Json) =>
      sides.map((side) => {
        const own = held.answered.filter((one) => one.side === side).flatMap(({ answers }) => answers)
        const words = own.filter((one) => one.item_code === code && one.text).map(({ text }) => text)
        const isWithheld = k !== null && words.length < k
        return [code, side, isWithheld ? null : words.sort(), isWithheld ? 'too_few' : null]
      }),
    )
  const found = texts.map((row: Json) => [row.code, row.side, row.texts?.sort() ?? null, row.suppression_reason])
  same(spelt(found), spelt(expected), 'the texts')
  seen.texts += expected.filter(([, , words]: Json) => words?.length > 0).length
}

let made = 0

async function check(scenario: Scenario): Promise<void> {
  made += 1
  const template = await service.make('/v1/evaluation-templates', {
    ...scenario.questionnaire,
    code: `questionnaire-${made}`,
  })
  const partnership = await partnershipBetween(scenario.sides)
  const sides = everySide.filter((side) => scenario.sides.includes(side))
  const k = scenario.mode === 'individual' ? scenario.k : null
  let earlier: Map<string, Cell> | undefined
  for (const given of scenario.rounds) {
    const held = await hold(partnership, template, scenario, given)
    const all = held.answered.map(({ side, answers }): Respondent => {
      const scored = answers.filter(({ score }) => score !== undefined)
      return { side, answers: new Map(scored.map(({ item_code, score }) => [item_code, score])) }
    })
    const { body } = await service.get(`/v1/evaluations/${held.id}/scores`)
    const now = checkScores(body, template, cellsOf(template, sides, all, k), sides)
    checkChanges(body, earlier, now)
    checkTexts((await service.get(`/v1/evaluations/${held.id}/texts`)).body, template, sides, held, k)
    earlier = now
  }
}

t.test(
  `the results of ${runs} questionnaires, asked of parties and persons, are those of the definitions`,
  async (t) => {
    // A failure is not made smaller: each trial holds whole rounds. It says its seed.
    const seed = process.env['EVALUATION_SEED']
    await fc.assert(fc.asyncProperty(scenarios, check), {
      numRuns: runs,
      endOnFailure: true,
      ...(seed === undefined ? {} : { seed: Number(seed) }),
    })
    t.ok(seen.cells > runs * 10, `what was compared: ${JSON.stringify(seen)}`)
  },
)
