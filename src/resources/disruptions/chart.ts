import { sql } from 'kysely'
import { Faults } from '../../core/problem.ts'
import { element, label, picture } from '../../core/svg.ts'
import type { ReadTx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

export const chartLanguages = ['en', 'nl'] as const
export type ChartLanguage = (typeof chartLanguages)[number]

/** What became of a commitment, in the order of the picture. */
const fates = ['kept', 'paused', 'substituted', 'lapsed', 'released', 'cancelled', 'extra'] as const
type Fate = (typeof fates)[number]

/** How many commitments met each fate, and what the disruption is called. */
export interface Fates {
  title: string
  counts: Record<Fate, number>
}

/** The state of a commitment on the day, by its history; as it is now where none is given. */
const statusOn = sql`case when ${param('as_of')}::date is null then c.status else (
  select h.to_status from status_changes h
  where h.tenant_id = c.tenant_id and h.resource_type = 'commitment' and h.resource_id = c.id
    and h.changed_on <= ${param('as_of')}::date
  order by h.version desc limit 1) end`

const counted = prepare<{ title: string; started_on: string; counts: Partial<Record<Fate, number>> }>(sql`
  select d.title, d.started_on::text as started_on, coalesce((
    select json_object_agg(f.fate, f.count) from (
      select c.fate, count(*) as count from (
        select case
            when c.reciprocity = 'additional' and c.agreed_on >= d.started_on then 'extra'
            when c.agreed_on > d.started_on then null
            when s.status in ('agreed', 'fulfilled') then 'kept'
            else s.status end as fate
        from commitments c cross join lateral (select ${statusOn} as status) s
        where c.tenant_id = d.tenant_id and c.agreed_on is not null
          and s.status in ('agreed', 'paused', 'fulfilled', 'lapsed', 'released', 'cancelled', 'substituted')
          and c.partnership_id in (
            select i.partnership_id from disruption_impacts i where i.tenant_id = d.tenant_id and i.disruption_id = d.id
              and (${param('as_of')}::date is null or i.assessed_on <= ${param('as_of')}::date))
      ) c where c.fate is not null group by c.fate
    ) f), '{}') as counts
  from disruptions d where d.tenant_id = ${tenantParam} and d.id = ${param('id')}::uuid`)

/**
 * What became of the commitments that a disruption touched: those of the partnerships in which it had an impact that were
 * agreed when it began; `extra` are those that were agreed since and are additional. Undefined where it is not there.
 * @param asOf as it was on this day; as it is now where left out
 * @throws Problem `rule_violated` for a day before it began
 */
export async function fatesOf(tx: ReadTx, id: string, asOf?: string): Promise<Fates | undefined> {
  const [row] = await counted.run(tx, { id, as_of: asOf ?? null })
  if (!row) return undefined
  if (asOf !== undefined && asOf < row.started_on) {
    const faults = new Faults()
    faults.add('?as_of', 'before_start', `The disruption began on ${row.started_on}: ask about that day or later.`)
    faults.refuse()
  }
  const counts = Object.fromEntries(fates.map((fate) => [fate, row.counts[fate] ?? 0])) as Record<Fate, number>
  return { title: row.title, counts }
}

const words: Record<ChartLanguage, { heading: string; fates: Record<Fate, string>; none: string }> = {
  en: {
    heading: 'What became of the commitments',
    fates: {
      ...{ kept: 'kept', paused: 'paused', substituted: 'substituted', lapsed: 'lapsed', released: 'released' },
      ...{ cancelled: 'cancelled', extra: 'given extra' },
    },
    none: 'It touched no commitments.',
  },
  nl: {
    heading: 'Wat er van de toezeggingen werd',
    fates: {
      ...{ kept: 'nagekomen of lopend', paused: 'gepauzeerd', substituted: 'vervangen', lapsed: 'vervallen' },
      ...{ released: 'kwijtgescholden', cancelled: 'ingetrokken', extra: 'extra gegeven' },
    },
    none: 'Ze raakte geen toezeggingen.',
  },
}

// What goes on is dark, what changed is hatched, what fell away is empty: told apart without colour.
const look: Record<Fate, string> = {
  ...{ kept: 'dark', extra: 'dark', paused: 'hatched', substituted: 'hatched' },
  ...{ lapsed: 'plain', released: 'plain', cancelled: 'plain' },
}

/** A bar for each fate. */
export function disruptionChart({ title, counts }: Fates, language: ChartLanguage): string {
  const told = words[language]
  const most = Math.max(1, ...Object.values(counts))
  const [left, top, step, room] = [170, 70, 34, 420]
  const all = Object.values(counts).reduce((a, b) => a + b, 0)
  const said = fates.map((fate) => `${told.fates[fate]}: ${counts[fate]}`).join(', ')
  return picture(
    {
      ...{ width: 660, height: top + fates.length * step + 20, language, title: `${title}. ${told.heading}` },
      description: all === 0 ? told.none : `${said}.`,
    },
    label(20, 30, title, { class: 'title' }),
    label(20, 50, told.heading),
    ...fates.flatMap((fate, at) => {
      const length = (counts[fate] / most) * room
      const y = top + at * step
      return [
        label(left - 12, y + 16, told.fates[fate], { 'text-anchor': 'end' }),
        ...(length > 0 ? [element('rect', { class: look[fate], x: left, y, width: length, height: 22 })] : []),
        label(left + length + 8, y + 16, String(counts[fate])),
      ]
    }),
    element('line', { class: 'line', x1: left, y1: top - 6, x2: left, y2: top + fates.length * step }),
  )
}
