import { type RawBuilder, sql } from 'kysely'

// What is derived from the ledger is derived here, and only here: for the view, for exports, for whatever comes next.
// The commitment goes by the alias `r`, its sums by the alias `l`.

/** The ledger by the alias `e`: a reversal takes back what it reverses, in the state that this had. */
export const ledgerEntries = (where: RawBuilder<boolean>) => sql`(
  select f.commitment_id, f.confirmation, coalesce(f.amount, f.quantity) as magnitude,
    case when f.reversal_of is null then 1 else -1 end as sign
  from fulfilments f where ${where}
) e`

/** The sums of a commitment's entries. */
export const ledgerSums = sql`
  sum(e.sign * e.magnitude) filter (where e.confirmation = 'confirmed') as delivered,
  sum(e.sign * e.magnitude) filter (where e.confirmation = 'reported') as reported`

export const promised = sql<string>`coalesce(r.amount, r.quantity)`
// Of the scale of the measure, so that money keeps its digits.
const zero = sql<string>`(${promised} - ${promised})`

export const delivered = sql<string>`coalesce(l.delivered, ${zero})`
export const reported = sql<string>`coalesce(l.reported, ${zero})`

export const skipped = sql<string>`(${zero} + r.skipped)`
export const replaced = sql<string>`(${zero} + r.replaced)`
// What of the promise still stands.
const stands = sql<string>`(${promised} - r.skipped - r.replaced)`

export const outstanding = sql<string>`case when r.status in ('agreed', 'paused', 'lapsed')
  then greatest(${stands} - ${delivered}, ${zero}) else ${zero} end`

// Whole ten-thousandths, so that no rounding says all where something is still owed.
export const fulfilmentRate = sql<string | null>`case
  when r.status in ('draft', 'proposed', 'declined') or ${stands} = 0 then null
  when r.status = 'fulfilled' and ${delivered} < ${stands} then null
  else (div(least(${delivered}, ${stands}) * 10000, ${stands}) / 10000)::numeric(5, 4)::text end`
