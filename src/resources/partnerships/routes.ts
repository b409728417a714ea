import type { FastifyPluginAsync } from 'fastify'
import type { TSchema } from 'typebox'
import { ref } from '../../core/schemas.ts'
import { children } from '../../platform/children.ts'
import { type Action, action, collection, type SliceOptions } from '../../platform/collection.ts'
import { historyOf } from '../../platform/history.ts'
import { amendmentsOfPartnership } from '../amendments/read.ts'
import { pausesOfPartnership } from '../pauses/read.ts'
import { PauseEnd, PauseStart } from '../pauses/schemas.ts'
import { createPartnership, deletePartnership, revisePartnership, upsertPartnership } from './commands.ts'
import type { PartnershipStep } from './lifecycle.ts'
import { partnershipList } from './list.ts'
import { Partnership, PartnershipPatch, PartnershipWrite, partnershipSchemas } from './schemas.ts'
import {
  Activate,
  AssentWrite,
  Decline,
  End,
  KeepOn,
  Propose,
  partnershipStepSchemas,
  WindDown,
  Withdraw,
} from './step-schemas.ts'
import {
  activatePartnership,
  assentToPartnership,
  declinePartnership,
  endPartnership,
  keepOnPartnership,
  pausePartnership,
  proposePartnership,
  resumePartnership,
  windDownPartnership,
  withdrawPartnership,
} from './steps.ts'
import { partnershipResource } from './view.ts'

const tag = 'Partnerships'
const history = historyOf('partnership')

type Step<Body extends TSchema> = Pick<Action<Body>, 'summary' | 'description' | 'body' | 'refusals' | 'command'>

/** Alliances: their parties, their purpose and their life. */
export const partnerships: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of [...partnershipSchemas, ...partnershipStepSchemas]) app.addSchema(schema)
  for (const { page } of [partnershipList, pausesOfPartnership, history]) app.addSchema(page)
  collection(app, slice, {
    makesBeside: true,
    resource: partnershipResource,
    tag,
    one: 'partnership',
    many: 'partnerships',
    scopes: { read: 'partnerships:read', write: 'partnerships:write' },
    wire: Partnership,
    write: PartnershipWrite,
    patch: PartnershipPatch,
    list: partnershipList,
    refusals: ['duplicate', 'in_use', 'state_forbids', 'agreed_terms', 'rule_violated'],
    commands: {
      create: createPartnership,
      revise: revisePartnership,
      upsert: upsertPartnership,
      remove: deletePartnership,
    },
  })

  const step = <Body extends TSchema>(verb: PartnershipStep, options: Step<Body>) =>
    action(app, slice, {
      resource: partnershipResource,
      tag,
      one: 'partnership',
      verb,
      scope: 'partnerships:write',
      wire: Partnership,
      ...options,
      body: ref(options.body) as unknown as Body,
    })

  step('propose', {
    summary: 'Propose a draft to its parties',
    description: 'Needs two parties, and both a company and a non-profit or a cross_sector_exception.',
    body: Propose,
    refusals: ['condition_unmet'],
    command: proposePartnership,
  })
  step('withdraw', {
    summary: 'Take a proposal back to draft',
    description: 'What was proposed can be changed then. The assents to it are cleared.',
    body: Withdraw,
    refusals: ['rule_violated'],
    command: withdrawPartnership,
  })
  step('decline', {
    summary: 'Decline a proposal',
    description: 'For any party, also one that has assented: nothing is agreed before all are.',
    body: Decline,
    refusals: ['rule_violated'],
    command: declinePartnership,
  })
  step('assent', {
    summary: 'Record the assent of a party to the proposal',
    description:
      'One side may record it on behalf of another (recorded_by_party_id). The same assent again changes nothing (200); ' +
      'another one in its place is refused.',
    body: AssentWrite,
    refusals: ['rule_violated', 'state_forbids'],
    command: assentToPartnership,
  })
  step('activate', {
    summary: 'Begin a proposed partnership',
    description:
      'Needs starts_on, the assent of every party, and an agreed commitment from each side or a reciprocity_waiver.',
    body: Activate,
    refusals: ['condition_unmet', 'agreed_terms'],
    command: activatePartnership,
  })
  step('pause', {
    summary: 'Let a partnership stand still for a time',
    description: 'Its commitments are paused with it, unless one is exempt.',
    body: PauseStart,
    refusals: ['rule_violated'],
    command: pausePartnership,
  })
  step('resume', {
    summary: 'End the pause of a partnership',
    body: PauseEnd,
    refusals: ['rule_violated'],
    command: resumePartnership,
  })
  step('wind-down', {
    summary: 'Begin the end of a partnership',
    description: 'A pause that is open stays open: keep-on leads back into it.',
    body: WindDown,
    refusals: ['condition_unmet'],
    command: windDownPartnership,
  })
  step('end', {
    summary: 'End a partnership',
    description: 'Needs every commitment at its end, and a concluded exit evaluation or an exit_evaluation_waiver.',
    body: End,
    refusals: ['condition_unmet'],
    command: endPartnership,
  })
  step('keep-on', {
    summary: 'Keep a partnership on that was to end',
    description: 'It is active again, or paused where its pause has not ended. Its end_reason is cleared.',
    body: KeepOn,
    refusals: ['rule_violated'],
    command: keepOnPartnership,
  })

  const below = { parent: partnershipResource, scope: 'partnerships:read', tag } as const
  children(app, slice, {
    ...below,
    path: 'amendments',
    id: 'list_partnership_amendments',
    summary: 'List the amendments of a partnership',
    list: amendmentsOfPartnership,
  })
  children(app, slice, {
    ...below,
    path: 'pauses',
    id: 'list_partnership_pauses',
    summary: 'List the pauses of a partnership',
    description: 'Those of the partnership as a whole; the pauses of a commitment stand with the commitment.',
    list: pausesOfPartnership,
  })
  children(app, slice, {
    ...below,
    path: 'history',
    id: 'list_partnership_history',
    summary: 'List the states that a partnership has been in',
    list: history,
  })
}
