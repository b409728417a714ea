import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { ref } from '../core/schemas.ts'
import { principalOf } from './auth.ts'
import { idParams, type SliceOptions } from './items.ts'
import type { List } from './lists.ts'
import { operation } from './operation.ts'
import { type AnyResource, readOne } from './resource.ts'
import type { Scope } from './scopes.ts'

export interface Children {
  /** The record that they belong to; a missing one is 404. */
  parent: AnyResource
  /** The path below the parent: `pauses`. */
  path: string
  /** The operation id: `list_partnership_pauses`. */
  id: string
  scope: Scope
  tag: string
  summary: string
  description?: string
  /** Narrowed to the parent by the value `<type>_id`, such as `partnership_id`. */
  list: List
}

/** Lists what belongs to one record: `GET /v1/partnerships/{id}/pauses`. */
export function children(app: FastifyInstance, { database, clock }: SliceOptions, options: Children): void {
  const { parent, path, id, scope, tag, summary, description, list } = options
  const register: FastifyPluginAsyncTypebox = async (typed) => {
    typed.get(
      `/${parent.path}/:id/${path}`,
      operation({
        id,
        scope,
        tag,
        summary,
        ...(description === undefined ? {} : { description }),
        params: idParams,
        query: list.query,
        answers: {
          200: { description: 'A page', schema: ref(list.page), headers: { Link: 'The next page, as rel="next"' } },
        },
      }),
      async (request, reply) => {
        const parentId = request.params.id
        await database.read(principalOf(request), (tx) => readOne(tx, parent, parentId))
        return list.send(database, request, reply, { [`${parent.type}_id`]: parentId }, { now: clock.now() })
      },
    )
  }
  void app.register(register)
}
