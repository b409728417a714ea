import { createHmac, randomBytes } from 'node:crypto'
import type pg from 'pg'
import { commitmentResource } from '../../src/resources/commitments/view.ts'

/** The role that PostgREST takes for a request, and the schema that it serves. */
const role = 'bench_web'
const schema = 'bench'

export interface PostgrestAccess {
  env: Record<string, string>
  /** A credential for a tenant. */
  authorizationFor(tenantId: string): string
}

/**
 * Gives PostgREST the same tables, behind row-level security by a claim of its token, and views that answer with the
 * same members: of one commitment as the service shows it, and of one as the service exports it.
 */
export async function openToPostgrest(
  owner: pg.Client,
  url: string,
  copies: Record<string, string>,
): Promise<PostgrestAccess> {
  const password = randomBytes(16).toString('hex')
  await owner.query(`create role bench_authenticator login noinherit password '${password}'`)
  await owner.query(`create role ${role} nologin`)
  await owner.query(`grant ${role} to bench_authenticator`)
  await owner.query(`create schema ${schema}`)
  await owner.query(`grant usage on schema ${schema}, public to ${role}`)
  const { rows: tables } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity and relkind = 'r'
     and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id')`,
  )
  const claim = `(select (current_setting('request.jwt.claims', true)::json ->> 'tenant_id')::uuid)`
  for (const { name } of tables) {
    await owner.query(`grant select, insert, update on ${name} to ${role}`)
    await owner.query(`drop policy of_tenant on ${name}`)
    // The service keeps its own policy: each policy is for one role, so that none pays for the other's.
    await owner.query(`create policy of_tenant on ${name} to beide_service
      using (tenant_id = (select current_tenant())) with check (tenant_id = (select current_tenant()))`)
    await owner.query(
      `create policy of_claim on ${name} to ${role} using (tenant_id = ${claim}) with check (tenant_id = ${claim})`,
    )
  }
  const { sql, parameters } = commitmentResource.view.compile()
  if (parameters.length > 0) throw new Error('The view has parameters')
  const views = { commitments: sql, commitment_rows: 'select * from commitments', ...mapExports(copies) }
  for (const [name, text] of Object.entries(views)) {
    await owner.query(`create view ${schema}.${name} with (security_invoker) as ${text}`)
    await owner.query(`grant select, insert, update on ${schema}.${name} to ${role}`)
  }
  const secret = randomBytes(32).toString('hex')
  const uri = new URL(url)
  uri.username = 'bench_authenticator'
  uri.password = password
  return {
    authorizationFor: (tenantId) => `Bearer ${token(secret, { role, tenant_id: tenantId })}`,
    env: {
      PGRST_DB_URI: uri.href,
      PGRST_DB_SCHEMAS: schema,
      PGRST_DB_POOL: '20',
      PGRST_JWT_SECRET: secret,
      PGRST_SERVER_HOST: '127.0.0.1',
    },
  }
}

/** The queries of the service's COPY statements. */
const mapExports = (copies: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(copies).map(([name, copy]) => [
      `export_${name}`,
      copy.slice(copy.indexOf('(') + 1, copy.lastIndexOf(') to stdout')),
    ]),
  )

function token(secret: string, claims: Record<string, string>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 3600
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, exp })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
