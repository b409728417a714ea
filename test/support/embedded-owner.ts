import { startEmbedded } from '../../src/db/embedded.ts'

// A process that owns an embedded Postgres until it is killed: `node embedded-owner.ts DIRECTORY` prints its address.
const [dataDir] = process.argv.slice(2)
if (!dataDir) throw new Error('Which directory?')
const { url } = await startEmbedded({ dataDir, settings: { fsync: 'off' } })
console.log(url)
setInterval(() => {}, 60_000)
