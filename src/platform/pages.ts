import type { FastifyReply, FastifyRequest } from 'fastify'

/** Representations as JSON text, and where the next page begins. */
export interface Page {
  bodies: string[]
  next: string | null
  total: string | undefined
}

/** Answers with a page; `beside` are further members of it, as JSON. */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { bodies, next, total }: Page,
  beside: Readonly<Record<string, string>> = {},
): FastifyReply {
  if (next !== null) reply.header('link', `<${nextAddress(request.url, next)}>; rel="next"`)
  const tail = [
    ...(total === undefined ? [] : [`,"total":${total}`]),
    ...Object.entries(beside).map(([name, json]) => `,"${name}":${json}`),
  ]
  return reply
    .type('application/json; charset=utf-8')
    .send(`{"data":[${bodies.join(',')}],"next_cursor":${next === null ? 'null' : `"${next}"`}${tail.join('')}}`)
}

function nextAddress(url: string, cursor: string): string {
  const [path, search = ''] = url.split('?')
  const parameters = new URLSearchParams(search)
  parameters.set('cursor', cursor)
  return `${path}?${parameters}`
}
