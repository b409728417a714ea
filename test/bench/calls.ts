import type pg from 'pg'
import type { Call, Contender, Exporter, Operation } from './measure.ts'

export const listFilter = 'status=agreed&limit=50'

export interface Sample {
  ids: string[]
  drafts: string[]
  seats: { partnership_id: string; from_party_id: string }[]
}

/** Records to ask for, in no order. */
export async function sampleOf(owner: pg.Client, tenantId: string): Promise<Sample> {
  const idsOf = async (condition: string) => {
    const { rows } = await owner.query<{ id: string }>(
      `select id from commitments where tenant_id = $1 and ${condition} order by md5(id::text) limit 1000`,
      [tenantId],
    )
    return rows.map((row) => row.id)
  }
  const { rows: seats } = await owner.query(
    `select partnership_id, id as from_party_id from partnership_parties where tenant_id = $1 and side = 'company'
     order by md5(id::text) limit 1000`,
    [tenantId],
  )
  return { ids: await idsOf('true'), drafts: await idsOf("status = 'draft'"), seats }
}

/** The same work in the words of each contender. */
export function callsOf({ ids, drafts, seats }: Sample, tenantId: string): Record<Operation, Record<Contender, Call>> {
  let count = 0
  const turn = <T>(values: readonly T[]): T => values[count++ % values.length] as T
  const get = (path: () => string): Call => ({ method: 'GET', next: () => ({ path: path() }) })
  const json = { 'content-type': 'application/json' }
  const returned = { ...json, prefer: 'return=representation' }
  const send = (method: 'POST' | 'PATCH', headers: Record<string, string>, next: Call['next']): Call => {
    return { method, headers, next }
  }
  const row = () => {
    const seat = turn(seats)
    return { ...seat, title: `Made ${count}`, amount: '125.00' }
  }
  const terms = { kind: 'cash', binding: 'firm', reciprocity: 'in_return', mode: 'not_applicable' }
  const calls: Record<Operation, Record<Exporter, Call>> = {
    'get one': {
      ceiling: get(() => `/one/${turn(ids)}`),
      beide: get(() => `/v1/commitments/${turn(ids)}`),
      postgrest: {
        ...get(() => `/commitments?id=eq.${turn(ids)}`),
        headers: { accept: 'application/vnd.pgrst.object+json' },
      },
    },
    'list 50': {
      ceiling: get(() => '/list'),
      beide: get(() => `/v1/commitments?${listFilter}`),
      postgrest: get(() => '/commitments?status=eq.agreed&order=created_at,id&limit=50'),
    },
    'create one': {
      ceiling: send('POST', json, () => ({ path: '/rows', body: JSON.stringify(row()) })),
      beide: send('POST', json, () => {
        const { amount, ...rest } = row()
        const measure = { type: 'money', amount, currency: 'EUR' }
        return { path: '/v1/commitments', body: JSON.stringify({ ...rest, ...terms, measure }) }
      }),
      postgrest: send('POST', { ...returned, accept: 'application/vnd.pgrst.object+json' }, () => {
        const now = new Date().toISOString()
        const columns = { id: crypto.randomUUID(), tenant_id: tenantId, created_at: now, updated_at: now, version: 1 }
        const rest = { currency: 'EUR', status: 'draft', pause_exempt: false, metadata: {}, search_text: 'made' }
        return { path: '/commitment_rows', body: JSON.stringify({ ...columns, ...terms, ...rest, ...row() }) }
      }),
    },
    'patch one': {
      ceiling: send('PATCH', json, () => ({ path: `/rows/${turn(drafts)}`, body: `{"title":"Changed ${count}"}` })),
      beide: send('PATCH', { ...json, 'if-match': '*' }, () => ({
        path: `/v1/commitments/${turn(drafts)}`,
        body: `{"title":"Changed ${count}"}`,
      })),
      postgrest: send('PATCH', { ...returned, accept: 'application/vnd.pgrst.object+json' }, () => ({
        path: `/commitment_rows?id=eq.${turn(drafts)}`,
        body: `{"title":"Changed ${count}"}`,
      })),
    },
  }
  const named = Object.entries(calls).map(([operation, of]) => [operation, { ...of, anew: of.beide }])
  return Object.fromEntries(named) as Record<Operation, Record<Contender, Call>>
}
