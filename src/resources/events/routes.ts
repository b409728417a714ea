import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { ref } from '../../core/schemas.ts'
import type { Reader } from '../../db/database.ts'
import { principalOf } from '../../platform/auth.ts'
import type { SliceOptions } from '../../platform/items.ts'
import { operation } from '../../platform/operation.ts'
import type { EventSignals } from '../../platform/signals.ts'
import { type Sight, sightOf } from '../../platform/visibility.ts'
import { type FeedPage, type FeedQuestion, feedPage } from './read.ts'
import { Actor, Event, EventPage, EventQuery, EventTypeFilter } from './schemas.ts'

export interface EventOptions extends SliceOptions {
  signals: EventSignals
  /** Aborted when the service is about to stop: who waits is answered at once. */
  draining: AbortSignal
}

/** The feed of changes, in the order of commits. */
export const events: FastifyPluginAsyncTypebox<EventOptions> = async (app, options) => {
  for (const schema of [Actor, Event, EventPage, EventTypeFilter]) app.addSchema(schema)
  const read = sharedReads(options)

  app.get(
    '/events',
    operation({
      id: 'list_events',
      scope: 'events:read',
      tag: 'Events',
      summary: 'Read the feed of changes',
      description:
        'Every event of every record, deletions and merges included, in the order of commits and without a gap. Keep ' +
        '`next_after` and ask again with it; with `wait` an answer comes as soon as there is something. Events are kept ' +
        'for 90 days at least; an older position, or one beyond the end, is refused with 410, which says how to start again. `data` shows what ' +
        'the scopes of your credential let you read; where it shows nothing, `needs_scope` says why.',
      query: EventQuery,
      answers: { 200: { description: 'A stretch of the feed; empty where nothing happened', schema: ref(EventPage) } },
      refusals: ['gone'],
    }),
    async (request, reply) => {
      const reader = principalOf(request)
      const { tenantId, scopes } = reader
      const { wait, limit, types } = request.query
      const sight = sightOf(scopes)
      const until = waitingTime(reply, wait, options.draining)
      let { after } = request.query
      try {
        for (;;) {
          const mark = wait > 0 ? await options.signals.mark(tenantId) : undefined
          const page = await read(reader, mark, sight, { after, limit, types })
          const hasMore = page.nextAfter > after && page.isEmpty
          after = page.nextAfter
          if (!page.isEmpty || until.signal.aborted) {
            return await reply.type('application/json; charset=utf-8').send(page.body)
          }
          // A stretch without a match is behind us: the next may have one at once.
          if (!hasMore && mark !== undefined) await options.signals.next(tenantId, mark, until.signal)
        }
      } finally {
        until.end()
      }
    },
  )
}

/** Ends with the seconds asked for, with the client's connection, or with the service; without waiting at once. */
function waitingTime(reply: FastifyReply, seconds: number, draining: AbortSignal) {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (seconds === 0 || draining.aborted) abort()
  const timer = setTimeout(abort, seconds * 1000)
  draining.addEventListener('abort', abort)
  reply.raw.on('close', abort)
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      draining.removeEventListener('abort', abort)
      reply.raw.off('close', abort)
    },
  }
}

/** Of many who are woken by one event and ask the same, one query answers all. */
function sharedReads({ database }: EventOptions) {
  const running = new Map<string, Promise<FeedPage>>()
  return (
    { tenantId, organisations }: Reader,
    mark: number | undefined,
    sight: Sight,
    question: FeedQuestion,
  ): Promise<FeedPage> => {
    const ask = () => database.read({ tenantId, organisations }, (tx) => feedPage(tx, sight, question))
    if (mark === undefined) return ask()
    // The mark is a part of the question: a read that began before the event does not answer for it.
    const key = JSON.stringify([tenantId, organisations, mark, sight, question])
    const known = running.get(key)
    if (known) return known
    const page = ask()
    running.set(key, page)
    const forget = () => void running.delete(key)
    page.then(forget, forget)
    return page
  }
}
