import { execFile } from 'node:child_process'
import { readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
import t from 'tap'
import { startService } from './support/harness.ts'
import { temporaryDirectory } from './support/temporary.ts'

const run = promisify(execFile)
const root = new URL('../', import.meta.url)
const compiler = fileURLToPath(new URL('lib/tsc.js', import.meta.resolve('typescript-native/package.json')))

/** The first calls of the README, in a client that was generated from the contract alone. */
const program = `
import createClient from 'openapi-fetch'
import type { components, paths } from './contract.ts'

const [baseUrl = '', key = ''] = process.argv.slice(2)
const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } })

function given<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error))
  return data
}

const byRef = (ref_id: string) => ({ params: { path: { system: 'crm', ref_id } } })
const company: components['schemas']['Organisation'] = given(
  await client.PUT('/v1/organisations/by-ref/{system}/{ref_id}', {
    ...byRef('account-1'),
    body: { name: 'Voorbeeld Bank NV', sector: 'company', country: 'NL' },
  }),
)
given(
  await client.PUT('/v1/organisations/by-ref/{system}/{ref_id}', {
    ...byRef('account-2'),
    body: {
      name: 'Stichting Zwemmen voor Iedereen',
      sector: 'non_profit',
      country: 'NL',
      identifiers: [{ scheme: 'NL-KVK', value: '12345678' }],
    },
  }),
)
const partnership = given(
  await client.POST('/v1/partnerships', {
    body: {
      name: 'Samen leren zwemmen',
      starts_on: '2026-12-01',
      purpose: { why: { nl: 'Ieder kind zwemt', en: 'Every child swims' } },
      parties: [
        { organisation_ref: { system: 'crm', id: 'account-1' }, side: 'company', role: 'lead' },
        { organisation_ref: { system: 'crm', id: 'account-2' }, side: 'non_profit' },
      ],
    },
  }),
)
const commitment = given(
  await client.POST('/v1/commitments', {
    body: {
      partnership_id: partnership.id,
      from_organisation_ref: { system: 'crm', id: 'account-1' },
      to_organisation_ref: { system: 'crm', id: 'account-2' },
      kind: 'cash',
      title: 'Zwemlessen voor 100 kinderen',
      measure: { type: 'money', amount: '12500', currency: 'EUR' },
    },
  }),
)
const ofCommitment = { path: { id: commitment.id }, header: { 'If-Match': '"1"' } }
const patched = given(
  await client.PATCH('/v1/commitments/{id}', {
    params: ofCommitment,
    body: { measure: { amount: '13000' }, motive: null },
  }),
)
type Patch = components['schemas']['CommitmentPatch']
// @ts-expect-error: a commitment is never without a title
const untitled: Patch = { title: null }
// @ts-expect-error: a measure has no such member
const mismeasured: Patch = { measure: { sum: '1' } }
void [untitled, mismeasured]
const me = given(await client.GET('/v1/me'))
const path = { id: partnership.id }
const proposed = given(
  await client.POST('/v1/partnerships/{id}/propose', { params: { path, header: { 'If-Match': '"1"' } }, body: {} }),
)
const refused = await client.POST('/v1/partnerships/{id}/activate', {
  params: { path, header: { 'If-Match': '"2"' } },
  body: {},
})
console.log(
  JSON.stringify({
    company: company.name,
    parties: partnership.parties.length,
    measure: commitment.measure,
    patched: patched.measure,
    audience: me.audience,
    status: proposed.status,
    code: refused.error?.code,
    faults: refused.error?.errors?.length,
  }),
)
`

t.test(
  'a client generated from the contract compiles under strict and makes the first calls of the README',
  async (t) => {
    const directory = await temporaryDirectory()
    t.teardown(() => rm(directory, { recursive: true, force: true }))
    const contract = JSON.parse(await readFile(new URL('openapi/openapi.json', root), 'utf8'))
    await symlink(fileURLToPath(new URL('node_modules', root)), join(directory, 'node_modules'))
    await writeFile(join(directory, 'contract.ts'), astToString(await openapiTS(contract)))
    await writeFile(join(directory, 'client.ts'), program)
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    const options = {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      module: 'nodenext',
      target: 'es2024',
      noEmit: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      types: ['node'],
    }
    await writeFile(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['client.ts', 'contract.ts'] }),
    )
    const compiled = await run(process.execPath, [compiler, '--project', directory]).catch((error) => error)
    t.match(compiled, { stdout: '', stderr: '', code: undefined }, 'it compiles')

    const service = await startService(t)
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
    const { stdout } = await run(process.execPath, [join(directory, 'client.ts'), url, service.key])
    t.same(JSON.parse(stdout), {
      company: 'Voorbeeld Bank NV',
      parties: 2,
      measure: { type: 'money', amount: '12500.00', currency: 'EUR' },
      patched: { type: 'money', amount: '13000.00', currency: 'EUR' },
      audience: 'staff',
      status: 'proposed',
      code: 'condition_unmet',
      faults: 3,
    })
  },
)
