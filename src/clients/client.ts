/** A small client of the service's public interface, for the programs that come with it. */
export interface Client {
  send(method: string, path: string, body?: unknown, ifMatch?: string): Promise<Reply>
  /** Like `send`, but a refusal is thrown. */
  must(method: string, path: string, body?: unknown, ifMatch?: string): Promise<Reply>
}

export interface Reply {
  status: number
  etag: string
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind; the contract says what they hold.
  body: any
}

/** A refusal of the service, in its own words. */
export class Refused extends Error {
  readonly reply: Reply
  constructor(method: string, path: string, reply: Reply) {
    const faults = (reply.body?.errors ?? []) as { pointer: string; detail: string }[]
    const named = faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ')
    super(`${method} ${path}: ${reply.status} ${reply.body?.detail ?? ''} ${named}`.trim())
    this.reply = reply
  }
}

const triesMax = 5

export function connectClient(options: { url: string; key: string }): Client {
  async function once(method: string, path: string, body: unknown, ifMatch: string | undefined): Promise<Response> {
    return fetch(new URL(path, options.url), {
      method,
      headers: {
        authorization: `Bearer ${options.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async function send(method: string, path: string, body?: unknown, ifMatch?: string): Promise<Reply> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await once(method, path, body, ifMatch).catch((error: Error) => {
        throw new Error(
          `${options.url} does not answer: ${(error.cause as Error | undefined)?.message || error.message}`,
        )
      })
      const text = await response.text()
      // The service says when to come back; a write that it refused so was not done.
      const wait = Number(response.headers.get('retry-after') ?? 0)
      if ((response.status === 429 || response.status === 503) && attempt < triesMax) {
        await new Promise((resolve) => setTimeout(resolve, wait * 1000))
        continue
      }
      const isJson = response.headers.get('content-type')?.includes('json')
      return {
        status: response.status,
        etag: response.headers.get('etag') ?? '',
        body: isJson && text !== '' ? JSON.parse(text) : text,
      }
    }
  }

  return {
    send,
    async must(method, path, body, ifMatch) {
      const reply = await send(method, path, body, ifMatch)
      if (reply.status >= 400) throw new Refused(method, path, reply)
      return reply
    },
  }
}

/** Does work on every item, at most `width` at a time. */
export async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item)
    }),
  )
}
