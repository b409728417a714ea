import { compiler } from '../../db/prepared.ts'
import { defineResource } from '../../platform/resource.ts'
import { pauseColumns } from './read.ts'
import type { Pause } from './schemas.ts'

/** A pause, as lists and events show it. */
export const pauseResource = defineResource<Pause>({
  type: 'pause',
  path: 'pauses',
  table: 'pauses',
  view: compiler.selectFrom('pauses as r').select(pauseColumns('r')).$castTo<Pause>(),
})
