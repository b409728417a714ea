import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import type { Tx } from '../../db/database.ts'
import { cancelJob, defineJob, enqueue } from '../../platform/jobs.ts'

export const closing = defineJob('close_evaluation', Type.Object({ evaluation_id: uuid() }))

/** Lets an open round be closed at its deadline, an instant; null: by hand, or when everyone has answered. */
export async function closeAtDeadline(tx: Tx, id: string, closesAt: string | null): Promise<void> {
  if (closesAt === null) await cancelJob(tx, closing, id)
  else await enqueue(tx, closing, { evaluation_id: id }, { runAt: closesAt, key: id })
}
