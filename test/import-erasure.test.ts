import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { asOwner } from '../src/db/tenants.ts'
import { type Json, type Service, startService } from './support/harness.ts'
import { importFile, ndjson, outcomesOf, over, rowsOf, send, startImports } from './support/imports.ts'
import { until } from './support/process.ts'
import { owner } from './support/requests.ts'
import { tablesWith } from './support/rows-with.ts'

// An erasure comes in the middle of an import that tells of the person: nothing of the person comes back.

const shared = await startService(t)
await startImports(t, shared)

const person = {
  name: 'Wilhelmina Achterberg',
  email: 'achterberg@voorbeeld.example',
  function: 'finance',
  external_refs: [{ system: 'crm', id: '003-WA' }],
}

/**
 * A tenant with a person, and with another whose record the test holds: who writes that one waits. Records of a batch are
 * locked in the order in which they were made.
 * @param isHeldFirst whether the held one is the older: who waits for it has not locked the other yet
 */
async function people(t: Test, { isHeldFirst = false } = {}) {
  const service = await shared.afresh()
  const { id } = await service.make('/v1/organisations', { name: 'Ons Doel', sector: 'non_profit' })
  const path = `/v1/organisations/${id}/contacts`
  const other = { name: 'Jan Anders', function: 'finance', external_refs: [{ system: 'crm', id: 'other' }] }
  const made: Json = {}
  for (const one of isHeldFirst ? [other, person] : [person, other]) made[one.name] = await service.make(path, one)
  const [erased, held] = [made[person.name], made[other.name]]
  const row = (members: object) => ({ type: 'contact', organisation_id: id, ...members })
  const [holder, watcher] = [await owner(t, service.url), await owner(t, service.url)]
  await holder.query('begin')
  await holder.query('select from contacts where id = $1 for update', [held.id])
  return {
    service,
    erased,
    personRow: row(person),
    heldRow: row({ ...other, name: 'Jan Anders-Smit' }),
    row,
    /** Comes back when as many wait for a lock. */
    waiting: (count: number) =>
      until(async () => {
        const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
        return (await watcher.query(waits)).rowCount === count
      }),
    release: () => holder.query('commit'),
  }
}

const erase = async (t: Test, service: Service, { id }: Json) =>
  t.match(await service.call('POST', `/v1/contacts/${id}/erase`, {}, { ifMatch: '*' }), { status: 200 })

async function isGone(t: Test, service: Service): Promise<void> {
  for (const text of ['Achterberg', '003-WA']) t.same(await tablesWith(service, text), [], text)
}

/** More rows than are done at once. */
const many = (row: (members: object) => object) =>
  Array.from({ length: 600 }, (_, at) =>
    row({ name: `Person ${at}`, function: 'other', external_refs: [{ system: 'crm', id: `p${at}` }] }),
  )

for (const [what, query] of Object.entries({
  'all or nothing': '?all_or_nothing=true',
  'a dry run': '?dry_run=true',
})) {
  t.test(`${what}: rows that were read before the erasure bring nobody back`, async (t) => {
    const { service, erased, heldRow, personRow, waiting, release } = await people(t, { isHeldFirst: true })
    const { body: made } = await send(service, ndjson([heldRow, personRow]), { query })
    await waiting(1)
    await erase(t, service, erased)
    await release()
    const done = await over(service, made.id)
    t.match(done, { status: query.includes('dry') ? 'finished' : 'failed', updated: 1, invalid: 1, created: 0 })
    t.match((await rowsOf(service, made))[1], {
      outcome: 'invalid',
      external_ref: null,
      faults: [{ detail: 'The person of whom the row tells was erased.' }],
    })
    await isGone(t, service)
  })

  t.test(`${what}: rows that were done before the erasure are undone`, async (t) => {
    const { service, erased, heldRow, personRow, row, waiting, release } = await people(t)
    // Another record of the same person, which nobody but the import knows of.
    const namesake = { ...personRow, external_refs: [{ system: 'hr', id: '003-WA' }] }
    const { body: made } = await send(service, ndjson([namesake, ...many(row), heldRow]), { query })
    await waiting(1)
    await erase(t, service, erased)
    await release()
    t.match(await over(service, made.id), { created: 600, updated: 1, invalid: 1 })
    await isGone(t, service)
  })
}

t.test('an erasure of others does not have an import begin anew', async (t) => {
  const { service, erased, heldRow, row, waiting, release } = await people(t)
  const { body: made } = await send(service, ndjson([...many(row), heldRow]), { query: '?all_or_nothing=true' })
  await waiting(1)
  const before = (await service.get(`/v1/imports/${made.id}`)).body
  await erase(t, service, erased)
  await release()
  const done = await over(service, made.id)
  t.match(done, { status: 'finished', created: 600, updated: 1 })
  t.equal(done.version, before.version + 6, 'the erasure, the second batch, three more kinds, and the end')
})

t.test('in batches: the erasure waits for the batch at hand, and the next one reads its rows anew', async (t) => {
  const { service, erased, heldRow, personRow, row, waiting, release } = await people(t)
  const { body: made } = await send(service, ndjson([heldRow, ...many(row), personRow]))
  await waiting(1)
  const erasing = erase(t, service, erased)
  await waiting(2)
  // Each batch asks first whether the key is still good. This has the next one wait until the erasure is done: to the import
  // itself whichever of the two comes first would be let.
  const keys = await owner(t, service.url)
  await keys.query('begin')
  const held = keys.query('lock table api_keys in access exclusive mode')
  await waiting(3)
  await release()
  await erasing
  await held
  await keys.query('commit')
  t.match(await over(service, made.id), { status: 'finished', created: 600, updated: 1, invalid: 1 })
  await isGone(t, service)
})

t.test('in one batch: whichever of the two gives way, nobody comes back', async (t) => {
  const { service, erased, heldRow, personRow, waiting, release } = await people(t)
  const { body: made } = await send(service, ndjson([heldRow, { ...personRow, phone: '+31 6 555 44 332' }]))
  await waiting(1)
  const erasing = erase(t, service, erased)
  await waiting(2)
  await release()
  await erasing
  t.match(await over(service, made.id), { status: 'finished' })
  await isGone(t, service)
  t.same(await tablesWith(service, '555 44 332'), [])
  t.match(await service.get(`/v1/contacts/${erased.id}`), { body: { name: null } })
})

t.test('a file that tells of persons and still arrives is refused; one that does not goes on', async (t) => {
  const { service, erased, personRow, row, release } = await people(t)
  await release()
  const organisations = Array.from({ length: 1001 }, (_, at) => ({
    type: 'organisation',
    name: `Organisation ${at}`,
    sector: 'company',
    external_refs: [{ system: 'crm', id: `o${at}` }],
  }))
  const sending = (rows: readonly object[]) => {
    const file = new PassThrough()
    const headers = { authorization: `Bearer ${service.key}`, 'content-type': 'application/x-ndjson' }
    const answer = service.app.inject({ method: 'POST', url: '/v1/imports', headers, payload: file })
    file.write(ndjson(rows))
    return { file, answer }
  }
  const persons = sending([...many(row), ...many(row)])
  const others = sending(organisations)
  const staged = `select from import_rows group by import_id having count(*) >= 1000`
  await until(async () => (await asOwner(service.url, (client) => client.query(staged))).rowCount === 2)
  await erase(t, service, erased)
  persons.file.end(ndjson([personRow]))
  others.file.end(ndjson(organisations.slice(0, 1)))
  const [refused, taken] = [await persons.answer, await others.answer]
  t.match({ ...refused.json(), status: refused.statusCode }, { status: 409, code: 'state_forbids' })
  t.equal(taken.statusCode, 201, taken.payload)
  await over(service, taken.json().id)
  await isGone(t, service)
})

/** A row of a partnership with one manager, whom it names by a reference. */
const managedBy = (organisation_id: string, id: string, contact_ref: object) => ({
  ...{ type: 'partnership', name: `Partnership ${id}`, external_refs: [{ system: 'crm', id }] },
  parties: [{ organisation_id, side: 'non_profit' }],
  managers: [{ organisation_id, contact_ref }],
})

t.test(
  'rows of partnerships that name the person as a manager do not outlive the import, or the erasure',
  async (t) => {
    const { service, erased, personRow, release } = await people(t)
    await release()
    const { organisation_id } = personRow as unknown as Json
    const rows = [
      managedBy(organisation_id, 'P-1', { system: 'crm', id: '003-WA' }),
      managedBy(organisation_id, 'P-2', { system: 'hr', id: '003-WA' }),
    ]
    const done = await importFile(service, rows)
    t.match(done, { created: 1, invalid: 1 })
    const refused = [{ pointer: '/managers/0/contact_ref', code: 'unknown_reference' }]
    t.match((await rowsOf(service, done))[1], { faults: refused })
    const kept = (await tablesWith(service, '003-WA')).filter((name) => name.startsWith('public.'))
    t.same(kept, ['public.external_refs', 'public.import_results'], 'no row is left')
    await erase(t, service, erased)
    await isGone(t, service)
    t.match((await rowsOf(service, done))[0], { external_ref: { system: 'crm', id: 'P-1' } })
  },
)

t.test('a row that waits to name the person as a manager is refused', async (t) => {
  const { service, erased, heldRow, personRow, waiting, release } = await people(t, { isHeldFirst: true })
  const { organisation_id } = personRow as unknown as Json
  const row = managedBy(organisation_id, 'P-1', { system: 'crm', id: '003-WA' })
  const { body: made } = await send(service, ndjson([row, heldRow]))
  await waiting(1)
  const erasing = erase(t, service, erased)
  await waiting(2)
  await release()
  await erasing
  t.match(await over(service, made.id), { status: 'finished', updated: 1 })
  await isGone(t, service)
})

t.test(
  'a contact that is deleted leaves nothing behind in imports that are over, or in answers that are kept',
  async (t) => {
    const { service, erased, heldRow, personRow, row, release } = await people(t)
    await release()
    const { organisation_id } = personRow as unknown as Json
    const made = { ...person, email: 'elders@voorbeeld.example', external_refs: [{ system: 'hr', id: '003-WA' }] }
    const asked = { headers: { 'idempotency-key': 'make' } }
    const path = `/v1/organisations/${organisation_id}/contacts`
    const { body: other } = await service.call('POST', path, made, asked)
    const rows = [personRow, heldRow, row({ ...made, external_refs: [{ system: 'x', id: '003-WA' }] })]
    const imports: Json[] = []
    for (const query of ['', '?dry_run=true']) imports.push(await importFile(service, rows, { query }))
    const third = (await service.get('/v1/contacts/by-ref/x/003-WA')).body
    const refused = await importFile(service, [{ ...personRow, function: 'none' }])
    // The samples that Postgres plans by go with an erasure; after a deletion, when it takes them next.
    const kept = async (text: string) => (await tablesWith(service, text)).filter((name) => name.startsWith('public.'))
    t.same(await kept('003-WA'), ['public.external_refs', 'public.import_results'])
    for (const { id } of [erased, other, third]) {
      t.match(await service.call('DELETE', `/v1/contacts/${id}`, undefined, { ifMatch: '*' }), { status: 204 })
    }
    for (const text of ['003-WA', 'Achterberg']) t.same(await kept(text), [], text)
    for (const one of imports) {
      const [gone, kept] = await rowsOf(service, one)
      t.match(gone, { external_ref: null, faults: [] })
      t.match(kept, { external_ref: { system: 'crm', id: 'other' } }, 'what was told of others stays')
    }
    t.match(
      await rowsOf(service, refused),
      [{ faults: [{ pointer: '/function', code: 'enum' }] }],
      'so do faults to mend',
    )
    const again = await service.call('POST', path, made, asked)
    t.match(again, { status: 201, headers: { 'idempotent-replayed': 'true' }, body: { id: other.id, name: null } })
  },
)

t.test('what is done in one transaction and has to be done again is done from the first row', async (t) => {
  const { service, row, release } = await people(t)
  await release()
  // As a deadlock with another writer does, once.
  await asOwner(service.url, (client) =>
    client.query(`
      create sequence deadlocks;
      create function deadlock_once() returns trigger language plpgsql security definer as $$
      begin
        if nextval('deadlocks') = 1 then raise exception 'deadlock' using errcode = '40P01'; end if;
        return new;
      end $$;
      create trigger once before insert on contacts for each row when (new.name = 'Person 599')
        execute function deadlock_once()`),
  )
  const done = await importFile(service, many(row), { query: '?all_or_nothing=true' })
  t.match(done, { status: 'finished', created: 600 })
  for (const at of [0, 599]) t.equal((await service.get(`/v1/contacts/by-ref/crm/p${at}`)).status, 200, `person ${at}`)
  t.equal((await outcomesOf(service, done)).filter((outcome) => outcome.endsWith('created')).length, 600)
})
