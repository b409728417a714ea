import type pg from 'pg'

/** Whose rows a read may see. */
export interface Reader {
  readonly tenantId: string
  /** A partner sees what these organisations are a party to; null for the tenant's own people and the service itself. */
  readonly organisations: readonly string[] | null
}

/** True for a partner, from whom the database keeps what is not its own, and of whom some rules ask more. */
export const isPartner = ({ organisations }: Pick<Reader, 'organisations'>): boolean => organisations !== null

/** The sight of the service's own work: all of a tenant. */
export const wholeTenant = (tenantId: string): Reader => ({ tenantId, organisations: null })

/** Whose rows each connection's session is set to. */
const readerOfSession = new WeakMap<pg.PoolClient, string>()

const tenantSetting = (reader: Reader): pg.QueryConfig => ({
  name: 'set_tenant',
  text: "select set_config('beide.tenant_id', $1, false)",
  values: [reader.tenantId],
})

/** On the connections of partners alone, which see no row where no organisation is set. */
const partnerSetting = ({ tenantId, organisations }: Reader): pg.QueryConfig => ({
  name: 'set_partner',
  text: "select set_config('beide.tenant_id', $1, false), set_config('beide.organisations', $2, false)",
  values: [tenantId, organisations?.join(',') ?? ''],
})

/**
 * Sets whose rows a connection's session sees, outside any transaction; every use of a connection begins with it. Where
 * it is that already, nothing is sent.
 */
export async function setReader(client: pg.PoolClient, reader: Reader): Promise<void> {
  const { tenantId, organisations } = reader
  const session = organisations === null ? tenantId : `${tenantId} ${organisations.join()}`
  if (readerOfSession.get(client) === session) return
  // Noted at once, for what is sent after it on the connection runs after it; where it fails the connection is closed.
  readerOfSession.set(client, session)
  try {
    await client.query(isPartner(reader) ? partnerSetting(reader) : tenantSetting(reader))
  } catch (error) {
    readerOfSession.delete(client)
    throw error
  }
}
