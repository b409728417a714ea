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
  const end = `],"next_cursor":${next === null ? 'null' : `"${next}"`}${tail.join('')}}`
  return reply.type('application/json; charset=utf-8').send(written('{"data":[', bodies, end))
}

/** In one buffer: a page of a hundred kilobytes as one text is copied three times more on its way out. */
function written(start: string, bodies: readonly string[], end: string): Buffer {
  let size = start.length + Math.max(0, bodies.length - 1) + Buffer.byteLength(end)
  for (const body of bodies) size += Buffer.byteLength(body)
  const page = Buffer.allocUnsafe(size)
  let at = page.write(start)
  for (const [index, body] of bodies.entries()) {
    if (index > 0) page[at++] = comma
    at += page.write(body, at)
  }
  page.write(end, at)
  return page
}

const comma = 0x2c

function nextAddress(url: string, cursor: string): string {
  const [path, search = ''] = url.split('?')
  const parameters = new URLSearchParams(search)
  parameters.set('cursor', cursor)
  return `${path}?${parameters}`
}
