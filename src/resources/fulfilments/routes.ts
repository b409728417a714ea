import type { FastifyPluginAsync } from 'fastify'
import type { SliceOptions } from '../../platform/collection.ts'

export const fulfilments: FastifyPluginAsync<SliceOptions> = async () => {}
