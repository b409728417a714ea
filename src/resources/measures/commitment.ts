import { sql } from 'kysely'
import type { Static } from 'typebox'
import type { Measure } from '../../core/measure.ts'
import { isLess, ratioOf, sumOf } from '../../core/measures.ts'
import { minorDigits, plainDecimal, scaleOf, withScale } from '../../core/money.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import { figures } from './figures.ts'
import type { CommitmentFulfilment } from './schemas.ts'
import { stateThen } from './store.ts'

/** The figures of one commitment as of a day, in its own unit, as JSON; they are null where it was not agreed by then. */
const figuresOfOne = prepare<{ body: string }>(sql`
  with ${figures}
  select json_build_object('commitment_id', c.id, 'as_of', k.t, 'currency', c.currency, 'unit', c.unit, 'figures', (
    select json_build_object('status', ${stateThen}, 'planned', m.planned::text, 'skipped', m.skipped::text,
      'replaced', m.replaced::text, 'delivered', m.delivered::text, 'stands', m.stands::text, 'due', m.due::text,
      'promised_by', m.promised_by::text, 'overdue', m.overdue::text)
    from figures m where m.id = c.id))::text as body
  from asked k
  join commitments c on c.tenant_id = ${tenantParam} and c.partnership_id = k.id and c.id = ${param('id')}::uuid`)

const partnershipOf = prepare<{ id: string }>(sql`
  select partnership_id as id from commitments where tenant_id = ${tenantParam} and id = ${param('id')}::uuid`)

/** The figures of one commitment by its id, as JSON text; undefined where there is none. */
export async function figuresOfCommitment(
  tx: ReadTx,
  id: string,
  question: { now: string; as_of: string | undefined },
): Promise<string | undefined> {
  const [partnership] = await partnershipOf.run(tx, { id })
  if (!partnership) return undefined
  const [row] = await figuresOfOne.run(tx, { ...question, id, ids: [partnership.id] })
  return row?.body
}

interface Figures {
  status: NonNullable<Static<typeof CommitmentFulfilment>['status']>
  planned: string
  skipped: string
  replaced: string
  delivered: string
  stands: string
  due: string
  promised_by: string
  overdue: string
}

interface Gathered {
  commitment_id: string
  as_of: string
  currency: string | null
  unit: string | null
  figures: Figures | null
}

const smaller = (a: string, b: string): string => (isLess(a, b) ? a : b)
const owed = new Set(['agreed', 'paused', 'lapsed'])

/** How far one commitment has been kept, from the figures as the statement gathers them. */
export function commitmentAnswer(body: string): Static<typeof CommitmentFulfilment> {
  const { commitment_id, as_of, figures, currency, unit } = JSON.parse(body) as Gathered
  const { status, planned, skipped, replaced, delivered, due, promised_by, overdue } = figures ?? {
    ...{ status: null, planned: '0', skipped: '0', replaced: '0', delivered: '0', due: '0', promised_by: '0' },
    overdue: '0',
  }
  const measure = (decimal: string) => spelled(decimal, currency, unit) as Static<typeof CommitmentFulfilment>['due']
  const left = sumOf([planned, ...[skipped, replaced, delivered].map(negated)])
  const [met, kept] = [smaller(delivered, due), smaller(delivered, promised_by)]
  return {
    commitment_id,
    as_of,
    status,
    measure: measure(planned),
    skipped: measure(skipped),
    replaced: measure(replaced),
    delivered: measure(delivered),
    outstanding: measure(status !== null && owed.has(status) && isLess('0', left) ? left : '0'),
    due: measure(due),
    met: measure(met),
    overdue: measure(overdue),
    promised_by: measure(promised_by),
    kept: measure(kept),
    rate: ratioOf(met, due),
    kept_as_promised: ratioOf(kept, promised_by),
  }
}

const negated = (decimal: string): string => (decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`)

function spelled(decimal: string, currency: string | null, unit: string | null): Measure {
  if (currency === null) return { type: 'quantity', quantity: plainDecimal(decimal), unit: unit ?? '' }
  const digits = Math.max(minorDigits(currency) ?? 2, scaleOf(decimal) ?? 0)
  return { type: 'money', amount: withScale(decimal, digits), currency }
}
