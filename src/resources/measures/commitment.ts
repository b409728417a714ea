import { sql } from 'kysely'
import type { Static } from 'typebox'
import type { Measure } from '../../core/measure.ts'
import { isLess, ratioOf, sumOf } from '../../core/measures.ts'
import { minorDigits, plainDecimal, scaleOf, withScale } from '../../core/money.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'
import type { CommitmentFulfilment } from './schemas.ts'
import { commitmentRows, questions } from './store.ts'

/** The figures of one commitment as of a day, in its own unit, as JSON; the figures are null where it was not agreed by then. */
export const figuresOfCommitment = prepare<{ body: string }>(sql`
  select json_build_object('commitment_id', c.id, 'as_of', k.t, 'currency', c.currency, 'unit', c.unit, 'figures', (
    select json_build_object('status', m.status, 'planned', m.planned::text, 'skipped', m.skipped::text,
      'replaced', m.replaced::text, 'delivered', m.delivered::text, 'stands', m.stands::text, 'due', m.due::text,
      'promised_by', m.promised_by::text, 'overdue', m.overdue::text)
    from (${commitmentRows} and c.id = ${param('id')}::uuid) m))::text as body
  from commitments c
  join partnerships r on r.tenant_id = c.tenant_id and r.id = c.partnership_id
  join ${questions} k on true
  where c.tenant_id = ${tenantParam} and c.id = ${param('id')}::uuid`)

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
