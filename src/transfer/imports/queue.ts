import { Type } from 'typebox'
import type { Caller, Tx } from '../../db/database.ts'
import { defineJob, enqueue, type JobContext } from '../../platform/jobs.ts'
import type { ImportState } from './store.ts'

export const importJob = defineJob('run_import', Type.Object({ import_id: Type.String() }))

/** Imports of a tenant go one after another: each has the order of its rows to itself. */
export const enqueueImport = (tx: Tx, id: string): Promise<void> =>
  enqueue(tx, importJob, { import_id: id }, { key: id, queue: `imports ${tx.tenantId}` })

/** On whose behalf the rows are written: that of who sent the file, with the rights that it had. */
export const writerOf = ({ caller }: JobContext, { actor, scopes }: ImportState): Caller => ({
  ...caller(),
  actor,
  scopes,
})
