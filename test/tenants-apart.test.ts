import t from 'tap'
import { exampleOf } from '../src/platform/examples.ts'
import {
  everyOperation,
  isByRef,
  masked,
  namingOwn,
  nobodys,
  type Operation,
  unused,
} from './support/every-operation.ts'
import type { Json, Service } from './support/harness.ts'
import { importFile, ndjson, rowsOf, startImports } from './support/imports.ts'
import { idsOf, oneOfEach, ourRef, startForAll } from './support/one-of-each.ts'

// Two tenants in which the same is there and the same is done, in the same order. One names what nobody has, the other
// what a third tenant has: in bodies about records of their own, and in rows of imports. They cannot tell which they are.

const service = await startForAll(t)
const ours = await oneOfEach(service)
const ourIds = await idsOf(service)
const { guarded, kindOf, oursFor, bodyOf, ask, oursNamed, placesOf, namesIn, withName } = everyOperation(service, ours)

interface Twin {
  tenant: Service
  records: Record<string, string>
  party: string
  other: string
}

async function twin(): Promise<Twin> {
  const tenant = await service.afresh()
  const records = await oneOfEach(tenant, { system: ourRef.system, id: 'theirs' })
  const { parties } = (await tenant.get(`/v1/partnerships/${records['partnerships']}`)).body
  return { tenant, records, party: parties[0].id, other: parties[1].id }
}
const [plain, curious] = [await twin(), await twin()]

const shows = (text: string, asked: string) => [...ourIds].filter((id) => id !== asked && text.includes(id))

t.test('bodies that name what another tenant has, about records of one’s own', async (t) => {
  const statuses = new Map<number, number>()
  for (const operation of guarded.filter(({ body }) => body)) {
    const asking = async ({ tenant, records, party }: Twin, name: string, id: string, ref_id: string) => {
      const naming = { ...oursFor(operation), id: records[kindOf(operation)] ?? nobodys.id, ref_id: 'theirs' }
      const place = placesOf(operation, namingOwn(bodyOf(operation), records, party) as Json).find(
        (each) => each.name === name,
      )
      const answer = await ask(tenant, operation, naming, place?.options(id, ref_id))
      return { ...answer, told: masked(answer, { ...naming, id }) }
    }
    for (const { name } of placesOf(operation, bodyOf(operation) as Json)) {
      for (const id of oursNamed(name, operation)) {
        const [nothing, theirs] = await Promise.all([
          asking(plain, name, nobodys.id, unused),
          asking(curious, name, id, ourRef.id),
        ])
        t.equal(theirs.told, nothing.told, `${operation.id} ${name}`)
        t.same(shows(theirs.text, id), [], `${operation.id} ${name}`)
        statuses.set(nothing.status, (statuses.get(nothing.status) ?? 0) + 1)
      }
    }
  }
  t.ok(
    (statuses.get(201) ?? 0) > 5 && (statuses.get(200) ?? 0) > 100,
    'some are taken, as what bears a reference of its own is',
  )
  t.ok((statuses.get(422) ?? 0) > 100, 'and others are judged by their rules')
})

const { schemas } = service.document.components
const rowKinds: Record<string, string> = {
  organisation: 'OrganisationRow',
  contact: 'ContactRow',
  partnership: 'PartnershipRow',
  commitment: 'CommitmentRow',
  fulfilment: 'FulfilmentRow',
}

/** What a row names that is there, where its schema does not say that it has to, or its example names one twice. */
const needed: Record<string, (of: Twin) => Json> = {
  contact: ({ records }) => ({ organisation_id: records['organisations'] }),
  commitment: ({ records, party, other }) => ({
    partnership_id: records['partnerships'],
    from_party_id: party,
    to_party_id: other,
    // Its example is one that was taken over.
    agreed_on: undefined,
    closed_on: undefined,
  }),
  fulfilment: ({ records }) => ({ commitment_id: records['commitments'] }),
}

/** A row that is taken, of a twin's own. */
function rowOf(of: Twin, type: string, ref: string): Json {
  const example = exampleOf({ $ref: `#/components/schemas/${rowKinds[type]}` }, { whole: false, schemas })
  const row = namingOwn(example, of.records, of.party) as Json
  return { ...row, ...needed[type]?.(of), type, external_refs: [{ system: 'row', id: ref }] }
}

t.test('rows of imports that name what another tenant has', async (t) => {
  await startImports(t, service)
  const places = Object.entries(rowKinds).flatMap(([type, component]) => {
    const body = { $ref: `#/components/schemas/${component}` }
    const operation = { path: `/v1/${type}s` } as Operation
    return namesIn(body).flatMap((name) => oursNamed(name, operation).map((id) => ({ type, body, name, id })))
  })
  for (const name of [
    'organisation parent_id',
    'contact organisation_ref',
    'partnership parties[].organisation_id',
    'commitment in_return_for[]',
    'commitment external_refs[]',
    'fulfilment commitment_id',
  ]) {
    t.ok(
      places.some((place) => `${place.type} ${place.name}` === name),
      name,
    )
  }
  const fileOf = (of: Twin, names: (id: string) => { id: string; ref_id: string }): string =>
    ndjson([
      ...Object.keys(rowKinds).map((type) => rowOf(of, type, `good ${type}`)),
      ...places.map(({ type, body, name, id }, at) => {
        const { type: _type, ...row } = rowOf(of, type, `row ${at}`)
        const named = names(id)
        const leaf = isByRef(name) ? { system: ourRef.system, id: named.ref_id } : named.id
        return { ...withName(row, body, name, leaf), type }
      }),
    ])
  for (const query of ['?dry_run=true', '?all_or_nothing=true', '']) {
    const nothing = await importFile(
      plain.tenant,
      fileOf(plain, () => ({ id: nobodys.id, ref_id: unused })),
      { query },
    )
    const theirs = await importFile(
      curious.tenant,
      fileOf(curious, (id) => ({ id, ref_id: ourRef.id })),
      { query },
    )
    const told = (value: unknown, id = nobodys.id) =>
      masked({ status: 200, headers: {}, text: JSON.stringify(value) } as never, { ...nobodys, id })
    t.equal(told(theirs), told(nothing), query)
    const [expected, seen] = [await rowsOf(plain.tenant, nothing), await rowsOf(curious.tenant, theirs)]
    for (const [at, row] of seen.entries()) {
      const place = places[at - 5]
      t.equal(
        told(row, place?.id),
        told(expected[at]),
        `${query} ${place ? `${place.type} ${place.name}` : 'a good row'}`,
      )
      t.same(shows(JSON.stringify(row), place?.id ?? ''), [])
    }
    if (query.includes('nothing')) continue
    t.same(
      seen.slice(0, 5).map(({ outcome }) => outcome),
      Array(5).fill('created'),
      'but for the name the rows are good',
    )
    t.ok(seen.filter(({ outcome }) => outcome === 'invalid').length > 20)
  }
})
