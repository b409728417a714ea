import { lookup } from 'node:dns/promises'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isLocalName, isPublicAddress } from './public-addresses.ts'

/** Where to connect: an address that was checked, never a name that could change. */
export interface Target {
  address: string
  port: number
  /** The name that the certificate must be for; undefined without encryption. */
  servername: string | undefined
}

export interface OutboundOptions {
  /** Also plain http, and addresses of this machine and its networks: for development alone. */
  allowPrivate: boolean
  /** All addresses of a name. */
  resolve?: (host: string) => Promise<string[]>
  connect?: (target: Target) => Socket
  /** For everything: resolving, connecting, sending, and the whole answer. */
  timeoutMs?: number
}

export interface Sent {
  status: number
  retryAfter: string | undefined
}

export interface Got {
  status: number
  body: string
}

/** Sends to addresses that tenants name, and to nothing else. */
export interface Outbound {
  /** What is wrong with a target, in words for the caller; undefined where nothing is. Resolves its name. */
  fault(url: string): Promise<string | undefined>
  /** Sends a POST. Follows no redirect. @throws OutboundError that says why there was no whole answer */
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<Sent>
  /** Sends a GET. Follows no redirect. @throws OutboundError that says why there was no whole answer, or one too large */
  get(url: string, signal: AbortSignal): Promise<Got>
}

/** Why a target was not reached, in words for whoever named it. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
}

const answerMaxBytes = 65_536

export function makeOutbound(options: OutboundOptions): Outbound {
  const { allowPrivate, resolve = resolveAll, connect = connectTo, timeoutMs = 15_000 } = options

  async function addressOf(url: URL): Promise<string> {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host)) {
      if (!allowPrivate && !isPublicAddress(host)) throw new OutboundError(notPublic(host))
      return host
    }
    if (!allowPrivate && isLocalName(host)) throw new OutboundError(notPublic(host))
    const addresses = await resolve(host).catch(() => [])
    const [first] = addresses
    if (first === undefined) throw new OutboundError(`The name ${host} cannot be resolved.`)
    // Of a name with several addresses none may be inside: which one is taken is not for its owner to choose.
    if (!allowPrivate && !addresses.every(isPublicAddress)) throw new OutboundError(notPublic(host))
    return first
  }

  return {
    async fault(text) {
      const url = URL.parse(text)
      if (!url) return 'This is not an address.'
      const form = formFault(url, allowPrivate)
      if (form !== undefined) return form
      return addressOf(url).then(
        () => undefined,
        (error: Error) => error.message,
      )
    },

    post: (text, headers, body, signal) =>
      reached(text, signal, (url, connected, until) =>
        send({ url, method: 'POST', headers, body, createConnection: connected, signal: until, read: wholeOf }),
      ),

    get: (text, signal) =>
      reached(text, signal, (url, connected, until) =>
        send({ url, method: 'GET', headers: {}, body: '', createConnection: connected, signal: until, read: bodyOf }),
      ),
  }

  async function reached<T>(
    text: string,
    signal: AbortSignal,
    work: (url: URL, connected: () => Socket, until: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const url = URL.parse(text)
    const form = url ? formFault(url, allowPrivate) : 'This is not an address.'
    if (!url || form !== undefined) throw new OutboundError(form ?? '')
    const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const address = await before(until, addressOf(url))
      const isSecure = url.protocol === 'https:'
      const host = url.hostname.replace(/^\[|\]$/g, '')
      const target = {
        address,
        port: Number(url.port || (isSecure ? 443 : 80)),
        servername: isSecure ? host : undefined,
      }
      return await work(url, () => connect(target), until)
    } catch (error) {
      if (error instanceof OutboundError) throw error
      if (signal.aborted) throw new OutboundError('The service was stopping.')
      if (until.aborted) throw new OutboundError(`There was no whole answer within ${timeoutMs / 1000} seconds.`)
      const { code, message } = error as NodeJS.ErrnoException
      throw new OutboundError(`The connection failed: ${code ?? message}.`, { cause: error })
    }
  }
}

const notPublic = (host: string) => `${host} is not an address of the public internet.`

function formFault(url: URL, allowPrivate: boolean): string | undefined {
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return 'The address must begin with https://.'
  if (url.username !== '' || url.password !== '') return 'The address may not hold a user name or a password.'
  if (url.hash !== '') return 'The address may not have a fragment (#).'
  return undefined
}

const resolveAll = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

function connectTo({ address, port, servername }: Target): Socket {
  if (servername === undefined) return connectTcp({ host: address, port })
  // A name goes into the handshake and is checked against the certificate; so is an address, but without SNI.
  const name = isIP(servername) ? {} : { servername }
  return connectTls({ host: address, port, ...name, ALPNProtocols: ['http/1.1'] })
}

/** Waits for something that cannot be aborted, as long as the signal lets. */
async function before<T>(until: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(until.reason)
  if (until.aborted) abort()
  until.addEventListener('abort', abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    until.removeEventListener('abort', abort)
  }
}

interface Sending<T> {
  url: URL
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body: string
  createConnection: () => Socket
  signal: AbortSignal
  read: (answer: IncomingMessage) => Promise<T>
}

function send<T>({ url, method, headers, body, createConnection, signal, read }: Sending<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http
    const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) }
    const sending = request(
      {
        method,
        host: url.hostname,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, connection: 'close', ...length, ...headers },
        createConnection,
        signal,
        maxHeaderSize: 16_384,
      },
      (answer) => read(answer).then(resolve, reject),
    )
    sending.on('error', reject)
    sending.end(body)
  })
}

/** The text of an answer, as far as it is one that we want to read. */
function bodyOf(answer: IncomingMessage): Promise<Got> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes <= answerMaxBytes) return
      reject(new OutboundError('The answer is too large.'))
      answer.destroy()
    })
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }))
    answer.on('error', reject)
    answer.on('close', () => reject(new OutboundError('The answer broke off.')))
  })
}

/** An answer counts when it is whole; what it says beyond its status is not read further than it must be. */
function wholeOf(answer: IncomingMessage): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const sent = { status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] }
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= answerMaxBytes) return
      resolve(sent)
      answer.destroy()
    })
    answer.on('end', () => resolve(sent))
    answer.on('error', reject)
    answer.on('close', () => reject(new OutboundError('The answer broke off.')))
  })
}
