import { sql } from 'kysely'
import { etagOf } from '../../core/etag.ts'
import type { Tx } from '../../db/database.ts'
import { type Represented, readOne } from '../../platform/resource.ts'
import type { Contact, ContactState } from './schemas.ts'
import { contactResource } from './view.ts'

// What a person leaves behind beside the record: in files that are imported, in what was told of their rows, and in answers
// that are kept to be given again.

/** Rows that tell of a person, and those of no known kind, which may; partnerships name their managers. */
const ofPersons = sql`(r.type is null or r.type = 'contact' or r.type = 'partnership' and r.payload like '%contact_ref%')`

/**
 * Takes hold of the imports that are under way: the batch at hand is over when this returns, and the next one reads its
 * rows anew. Of a file that still arrives no more persons are taken, for what came before is not all staged.
 */
export async function importsHold(tx: Tx): Promise<void> {
  await tx.db
    .updateTable('imports')
    .set({
      version: sql`version + 1`,
      erasures: sql`erasures + case when status = 'uploading' then 1 else 0 end`,
    })
    .where('tenant_id', '=', tx.tenantId)
    .where('status', 'in', ['uploading', 'queued', 'running', 'cancelling'])
    .execute()
}

/**
 * Rows that wait to be imported and tell of the person, by a reference or the e-mail address, are refused when their turn
 * comes: they would make the person anew. One that cannot be read goes where any of the person's values stands in it. What
 * goes in one transaction had read them perhaps, and begins anew.
 */
export async function stagedForget(tx: Tx, { name, email, phone, external_refs: refs }: ContactState): Promise<void> {
  const held = refs.map(({ system, id }) => JSON.stringify([{ system, id }]))
  const managing = refs.map(({ system, id }) => JSON.stringify([{ contact_ref: { system, id } }]))
  const values = [name, email, phone, ...refs.map(({ id }) => id)].filter((value) => value !== null)
  await sql`
    with refused as (
      update import_rows r set payload = null, fault = 'The person of whom the row tells was erased.'
      where r.tenant_id = ${tx.tenantId} and ${ofPersons} and r.payload is not null
        and case when pg_input_is_valid(r.payload, 'jsonb')
          then r.payload::jsonb -> 'external_refs' @> any(${held}::text[]::jsonb[])
            or r.payload::jsonb -> 'managers' @> any(${managing}::text[]::jsonb[])
            or lower(r.payload::jsonb ->> 'email') = lower(${email}::text)
          else exists (select from unnest(${values}::text[]) v where strpos(lower(r.payload), lower(v)) > 0) end
      returning r.import_id
    )
    update imports set erasures = erasures + 1
    where tenant_id = ${tx.tenantId} and id = any(array(select import_id from refused))`.execute(tx.db)
}

/**
 * What imports told of the person, and of the rows that were just refused. Which person a refused row or one of a dry run
 * meant nobody knows: of those the codes are left, and nothing of what stood in them.
 */
export async function resultsForget(tx: Tx, id: string): Promise<void> {
  await sql`
    update import_results s set ref_system = null, ref_id = null, faults = (
      select json_agg(json_build_object('pointer', '', 'code', f ->> 'code',
        'detail', 'What was told here went when a person was erased.'))
      from json_array_elements(s.faults) f)
    from import_rows r, imports i
    where r.tenant_id = ${tx.tenantId} and (${ofPersons} or s.faults::text like '%contact_ref%')
      and i.tenant_id = r.tenant_id and i.id = r.import_id
      and s.tenant_id = r.tenant_id and s.import_id = r.import_id and s.row_id = r.id
      and (s.resource_id = ${id} or s.resource_id is null or i.dry_run or (r.payload is null and r.fault is not null))`.execute(
    tx.db,
  )
}

/**
 * What imports told of a contact: to be told where it went is of no use any more when it is deleted. Of dry runs, whose ids
 * are nobody's, by its references. Rows that were refused tell of nobody in particular, and stay for whoever mends them.
 */
export async function resultsUnname(tx: Tx, id: string, { external_refs: refs }: Pick<Contact, 'external_refs'>) {
  const unname = sql`update import_results s set ref_system = null, ref_id = null, faults = null`
  await sql`${unname} where s.tenant_id = ${tx.tenantId} and s.resource_id = ${id}`.execute(tx.db)
  await sql`
    ${unname}
    from import_rows r, imports i
    where r.tenant_id = ${tx.tenantId} and r.type = 'contact' and i.tenant_id = r.tenant_id and i.id = r.import_id and i.dry_run
      and s.tenant_id = r.tenant_id and s.import_id = r.import_id and s.row_id = r.id
      and (s.ref_system, s.ref_id) in (
        select system, id from json_to_recordset(${JSON.stringify(refs)}::json) as n (system text, id text))`.execute(
    tx.db,
  )
}

/** An answer kept under an Idempotency-Key is sealed from us: in its place stands the person as erased. */
export async function answersForget(tx: Tx, id: string): Promise<void> {
  const { version, body }: Represented = await readOne(tx, contactResource, id)
  await sql`
    update idempotency_keys set is_sealed = false, body = convert_to(${body}, 'UTF8'),
      headers = (headers::jsonb || jsonb_build_object('etag', ${etagOf(version)}::text))::json
    where tenant_id = ${tx.tenantId} and is_sealed and headers ->> 'location' like ${`%/contacts/${id}`}`.execute(tx.db)
}

/** Postgres plans by samples of references: what it kept of the person's is replaced by others. */
export async function samplesForget(tx: Tx): Promise<void> {
  await sql`select take_samples_anew()`.execute(tx.db)
}
