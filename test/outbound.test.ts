import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { makeOutbound, OutboundError, type Target } from '../src/platform/outbound.ts'
import { isPublicAddress } from '../src/platform/public-addresses.ts'
import { secretBox } from '../src/platform/secrets.ts'

const never = new AbortController().signal

/** An outbound that records whom it would connect to, and names that resolve as the test says. */
function recording(names: Record<string, string[]> = {}) {
  const contacted: Target[] = []
  const outbound = makeOutbound({
    allowPrivate: false,
    resolve: async (host) => {
      const addresses = names[host]
      if (!addresses) throw new Error('ENOTFOUND')
      return addresses
    },
    connect: (target): Socket => {
      contacted.push(target)
      throw new OutboundError('recorded')
    },
  })
  return { outbound, contacted, names }
}

const inward = {
  'inside.example.org': ['10.0.0.5'],
  'loop.example.org': ['127.0.0.1'],
  'mixed.example.org': ['93.184.215.14', '192.168.1.10'],
  'six.example.org': ['::1'],
  'mapped.example.org': ['::ffff:10.0.0.5'],
  'linklocal.example.org': ['fe80::1%eth0'],
}

const refused = [
  // Spellings of this machine.
  'https://127.0.0.1/',
  'https://127.1/',
  'https://127.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0177.0.0.1/',
  'https://017700000001/',
  'https://127.0.0.1.:8443/',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/',
  'https://%31%32%37.0.0.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://a.localhost/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::127.0.0.1]/',
  // Private networks, links, and what clouds keep there.
  'https://10.1.2.3/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.0.1/',
  'https://0xc0a80001/',
  'https://100.64.0.1/',
  'https://100.100.100.200/',
  'https://169.254.169.254/latest/meta-data',
  'https://0xa9fea9fe/',
  'https://168.63.129.16/',
  'https://192.0.0.192/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fec0::1]/',
  'https://[ff02::1]/',
  // IPv4 inside IPv6: translated, tunnelled, embedded.
  'https://[64:ff9b::10.0.0.1]/',
  'https://[64:ff9b:1::10.0.0.1]/',
  'https://[2002:0a00:0001::]/',
  'https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  'https://[::ffff:0:10.0.0.1]/',
  'https://[2001:db8::1]/',
  // Names of local networks, and names that resolve inside.
  'https://intranet/',
  'https://printer.local/',
  'https://metadata.google.internal/',
  ...Object.keys(inward).map((name) => `https://${name}/hook`),
  'https://unknown.example.org/',
  // Other ways to say where to go.
  'http://93.184.215.14/',
  'ftp://93.184.215.14/',
  'file:///etc/passwd',
  'https://user:secret@93.184.215.14/',
  'https://93.184.215.14/#@127.0.0.1',
  'https://',
  'not an address',
]

t.test(
  `${refused.length} spellings of targets inside: refused at registration and at connection, none contacted`,
  async (t) => {
    const { outbound, contacted } = recording(inward)
    t.ok(refused.length >= 40)
    for (const url of refused) {
      t.type(await outbound.fault(url), 'string', url)
      await t.rejects(outbound.post(url, {}, '{}', never), { name: 'OutboundError' }, url)
    }
    t.same(contacted, [])
  },
)

t.test('public targets are contacted at the address that was checked', async (t) => {
  const { outbound, contacted } = recording({
    'crm.example.org': ['93.184.215.14'],
    'xn--bcher-kva.example.org': ['2a00:1450::5'],
  })
  for (const url of [
    'https://crm.example.org/hook',
    'https://bücher.example.org:8443/',
    'https://93.184.215.14/',
    'https://[2a00:1450::5]/',
  ]) {
    t.equal(await outbound.fault(url), undefined, url)
    await t.rejects(outbound.post(url, {}, '{}', never), /recorded/)
  }
  t.same(contacted, [
    { address: '93.184.215.14', port: 443, servername: 'crm.example.org' },
    { address: '2a00:1450::5', port: 8443, servername: 'xn--bcher-kva.example.org' },
    { address: '93.184.215.14', port: 443, servername: '93.184.215.14' },
    { address: '2a00:1450::5', port: 443, servername: '2a00:1450::5' },
  ])
})

t.test('a name that changes its address between registration and delivery is not contacted', async (t) => {
  const { outbound, contacted, names } = recording({ 'rebind.example.org': ['93.184.215.14'] })
  const url = 'https://rebind.example.org/hook'
  t.equal(await outbound.fault(url), undefined)
  names['rebind.example.org'] = ['127.0.0.1']
  await t.rejects(outbound.post(url, {}, '{}', never), /not an address of the public internet/)
  t.same(contacted, [])
})

t.test('a name is asked for once for each connection: no second answer can take its place', async (t) => {
  let asked = 0
  const contacted: Target[] = []
  const outbound = makeOutbound({
    allowPrivate: false,
    resolve: async () => {
      asked += 1
      return [asked === 1 ? '93.184.215.14' : '127.0.0.1']
    },
    connect: (target): Socket => {
      contacted.push(target)
      throw new OutboundError('recorded')
    },
  })
  await t.rejects(outbound.post('https://flip.example.org/', {}, '{}', never), /recorded/)
  t.equal(asked, 1)
  t.match(contacted, [{ address: '93.184.215.14' }])
})

t.test('addresses: the edges of what is public', async (t) => {
  for (const [address, isPublic] of [
    ['9.255.255.255', true],
    ['10.0.0.0', false],
    ['11.0.0.0', true],
    ['172.15.255.255', true],
    ['172.32.0.0', true],
    ['100.63.255.255', true],
    ['100.128.0.0', true],
    ['223.255.255.255', true],
    ['1fff::1', false],
    ['2000::1', true],
    ['3ffe::1', true],
    ['3fff::1', false],
    ['4000::1', false],
    ['2001:200::1', true],
    ['2001:1ff::1', false],
    ['', false],
    ['example.org', false],
  ] as const) {
    t.equal(isPublicAddress(address), isPublic, address)
  }
})

async function listen(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('sending: the whole answer in time, or words that say what was wrong', async (t) => {
  const base = await listen(
    t,
    createServer((request, response) => {
      if (request.url === '/ok') response.writeHead(200).end('thanks')
      else if (request.url === '/moved') response.writeHead(302, { location: '/ok' }).end()
      else if (request.url === '/later') response.writeHead(503, { 'retry-after': '120' }).end()
      else if (request.url === '/half')
        response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
      else if (request.url === '/much') response.writeHead(200).end(randomBytes(1_000_000))
      else if (request.url === '/drop') request.socket.destroy()
      // Anything else is never answered.
    }),
  )
  const outbound = makeOutbound({ allowPrivate: true, timeoutMs: 5000 })
  const post = (path: string) => outbound.post(`${base}${path}`, { 'x-test': 'y' }, '{}', never)
  t.match(await post('/ok'), { status: 200 })
  t.match(await post('/moved'), { status: 302 })
  t.match(await post('/later'), { status: 503, retryAfter: '120' })
  t.match(await post('/much'), { status: 200 })
  await t.rejects(post('/half'), { name: 'OutboundError' })
  await t.rejects(post('/drop'), /connection failed/)
  const impatient = makeOutbound({ allowPrivate: true, timeoutMs: 100 })
  await t.rejects(impatient.post(`${base}/hang`, {}, '{}', never), /no whole answer within 0.1 seconds/)
  const stopping = AbortSignal.abort()
  await t.rejects(outbound.post(`${base}/ok`, {}, '{}', stopping), /stopping/)
  const slowNames = makeOutbound({ allowPrivate: true, timeoutMs: 100, resolve: () => new Promise(() => {}) })
  await t.rejects(slowNames.post('https://slow.example.org/', {}, '{}', never), /no whole answer/)
})

t.test('secrets are sealed with the first key and opened with any', async (t) => {
  const [one, two] = [randomBytes(32), randomBytes(32)]
  const sealed = secretBox([one]).seal('whsec_x')
  t.notMatch(sealed, /whsec/)
  t.equal(secretBox([two, one]).open(sealed), 'whsec_x')
  t.throws(() => secretBox([two]).open(sealed), /SECRETS_KEYS/)
  t.equal(secretBox([one]).open(secretBox([]).seal('whsec_x')), 'whsec_x')
})
