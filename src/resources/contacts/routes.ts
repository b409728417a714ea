import type { FastifyPluginAsync } from 'fastify'
import type { SliceOptions } from '../../platform/collection.ts'

export const contacts: FastifyPluginAsync<SliceOptions> = async () => {}
