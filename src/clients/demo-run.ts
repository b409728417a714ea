import type { Client, Reply } from './client.ts'
import type { Step } from './demo-portfolio.ts'

/** What a run did: records that are new, and those that were there already. */
export interface DemoReport {
  created: number
  found: number
  steps: number
}

/** One run of the demo against a service. Everything goes by its id in the system `demo`, so a second run finds it all. */
export class Demo {
  readonly client: Client
  readonly report: DemoReport = { created: 0, found: 0, steps: 0 }
  readonly organisationIds = new Map<string, string>()

  constructor(client: Client) {
    this.client = client
  }

  /** Creates or finds a record. */
  async put(collection: string, id: string, body: object): Promise<Reply> {
    const reply = await this.client.must('PUT', `/v1/${collection}/by-ref/demo/${id}`, body)
    if (reply.status === 201) this.report.created += 1
    else this.report.found += 1
    return reply
  }

  /** Takes a step on a record as it is in `reply`. */
  async step(collection: string, reply: Reply, verb: string, body: object = {}): Promise<Reply> {
    this.report.steps += 1
    return this.client.must('POST', `/v1/${collection}/${reply.body.id}/${verb}`, body, reply.etag)
  }

  /** Takes those steps of a life that begins as a draft which the record has not taken yet. */
  async live(
    collection: string,
    reply: Reply,
    steps: readonly Step[],
    party: (name: string) => string,
  ): Promise<Reply> {
    const path = ['draft', ...steps.map(({ to }) => to)]
    const { status } = reply.body
    // Assents do not change the state: while it is proposed, each is looked at.
    const taken = status === 'proposed' ? path.indexOf(status) : path.lastIndexOf(status)
    let current = reply
    for (const { verb, body } of taken < 0 ? [] : steps.slice(taken)) {
      const said = body?.(party) ?? {}
      if (verb === 'assent' && hasAssented(current, said)) continue
      current = await this.step(collection, current, verb, said)
    }
    return current
  }
}

function hasAssented({ body }: Reply, said: { party_id?: string }): boolean {
  const parties = body.parties as { id: string; assent: unknown }[]
  return parties.some(({ id, assent }) => id === said.party_id && assent !== null)
}
