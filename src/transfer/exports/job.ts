import { Type } from 'typebox'
import { uuid } from '../../core/schemas.ts'
import { defineJob } from '../../platform/jobs.ts'

/** Makes the files of an export. */
export const exportJob = defineJob('run_export', Type.Object({ export_id: uuid() }))
