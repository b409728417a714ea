import type { FastifyPluginAsync } from 'fastify'
import type { SliceOptions } from '../../platform/collection.ts'

export const evaluations: FastifyPluginAsync<SliceOptions> = async () => {}
