import { sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { param, prepare, tenantParam } from '../../db/prepared.ts'

// Which commitments a pause holds up.

const hold = prepare(sql`
  insert into commitment_pauses (tenant_id, pause_id, commitment_id)
  select c.tenant_id, ${param('pause_id')}::uuid, c.id from commitments c
  where c.tenant_id = ${tenantParam} and c.partnership_id = ${param('partnership_id')}::uuid
    and c.status in ('agreed', 'paused')
    and case when ${param('commitment_id')}::uuid is null then not c.pause_exempt
      else c.id = ${param('commitment_id')}::uuid end
`)

/** Notes which commitments a pause holds up: the one it is for, or all of the partnership that are not exempt. */
export async function pauseHold(
  tx: Tx,
  pauseId: string,
  partnershipId: string,
  commitmentId: string | null,
): Promise<void> {
  await hold.run(tx, { pause_id: pauseId, partnership_id: partnershipId, commitment_id: commitmentId })
}

const held = prepare<{ commitment_id: string }>(sql`
  select distinct cp.commitment_id from commitment_pauses cp
  join pauses p on p.tenant_id = cp.tenant_id and p.id = cp.pause_id
  where p.tenant_id = ${tenantParam} and p.partnership_id = ${param('partnership_id')}::uuid and p.commitment_id is null`)

/** The commitments that a pause of the partnership holds up, or held up once. */
export async function commitmentsHeldIn(tx: Tx, partnershipId: string): Promise<string[]> {
  const rows = await held.run(tx, { partnership_id: partnershipId })
  return rows.map((row) => row.commitment_id)
}

const letGo = prepare(sql`
  update commitment_pauses cp set resumed_on = greatest(${param('on')}::date, p.starts_on)
  from pauses p
  where cp.tenant_id = ${tenantParam} and cp.commitment_id = ${param('commitment_id')}::uuid and cp.resumed_on is null
    and p.tenant_id = cp.tenant_id and p.id = cp.pause_id and p.resumed_on is null`)

/** Lets a commitment go on from a day, whatever pause still lasts for others. */
export async function pausesLetGo(tx: Tx, commitmentId: string, on: string): Promise<void> {
  await letGo.run(tx, { commitment_id: commitmentId, on })
}
