import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { TSchema } from 'typebox'
import type { ProblemCode } from '../../core/problem.ts'
import { ref } from '../../core/schemas.ts'
import { children } from '../../platform/children.ts'
import { type Action, action, collection, type SliceOptions } from '../../platform/collection.ts'
import { historyOf } from '../../platform/history.ts'
import { pausesOfCommitment } from '../pauses/read.ts'
import { PauseEnd, PauseStart } from '../pauses/schemas.ts'
import { createCommitment, deleteCommitment, reviseCommitment, upsertCommitment } from './commands.ts'
import { commitmentList } from './list.ts'
import { Commitment, CommitmentPatch, CommitmentWrite, commitmentSchemas } from './schemas.ts'
import {
  Agreeing,
  Cancelling,
  Declining,
  Lapsing,
  PromiserStep,
  Reinstating,
  Releasing,
  stepSchemas,
} from './step-schemas.ts'
import {
  agreeCommitment,
  decide,
  pauseCommitment,
  proposeCommitment,
  resumeCommitment,
  withdrawCommitment,
} from './steps.ts'
import { commitmentResource } from './view.ts'

const history = historyOf('commitment')

const tag = 'Commitments'
const scopes = { read: 'commitments:read', write: 'commitments:write' } as const

/** What one party promises another: kept, or lapsed, released or cancelled, and by whom. */
export const commitments: FastifyPluginAsync<SliceOptions> = async (app, slice) => {
  for (const schema of [...commitmentSchemas, ...stepSchemas]) app.addSchema(schema)
  for (const { page } of [commitmentList, history, pausesOfCommitment]) app.addSchema(page)
  collection(app, slice, {
    makesBeside: true,
    resource: commitmentResource,
    tag,
    one: 'commitment',
    many: 'commitments',
    scopes,
    wire: Commitment,
    write: CommitmentWrite,
    patch: CommitmentPatch,
    list: commitmentList,
    refusals: ['duplicate', 'state_forbids', 'agreed_terms', 'rule_violated'],
    commands: {
      create: createCommitment,
      revise: reviseCommitment,
      upsert: upsertCommitment,
      remove: deleteCommitment,
    },
  })
  lifeSteps(app, slice)
  const below = { parent: commitmentResource, scope: scopes.read, tag }
  children(app, slice, {
    ...below,
    path: 'pauses',
    id: 'list_commitment_pauses',
    summary: 'List the pauses of a commitment',
    description: 'Its own: those of its partnership are listed there.',
    list: pausesOfCommitment,
  })
  children(app, slice, {
    ...below,
    path: 'history',
    id: 'list_commitment_history',
    summary: 'List what state a commitment was in since when',
    description: 'Who decided it, and why; nothing of it is ever changed.',
    list: history,
  })
}

function lifeSteps(app: FastifyInstance, slice: SliceOptions): void {
  const step = <Body extends TSchema>(
    verb: string,
    told: Pick<Action<Body>, 'summary' | 'description' | 'body' | 'command'>,
    refusals: readonly ProblemCode[] = ['wrong_party'],
  ) =>
    action(app, slice, {
      resource: commitmentResource,
      tag,
      one: 'commitment',
      verb,
      scope: scopes.write,
      wire: Commitment,
      refusals,
      ...told,
    })
  const opening = ['wrong_party', 'state_forbids', 'rule_violated'] as const

  step(
    'propose',
    {
      summary: 'Propose a commitment to the other side',
      description: 'The promiser consents by it. From then on the terms stay as they are, unless it is withdrawn.',
      body: ref(PromiserStep),
      command: proposeCommitment,
    },
    opening,
  )
  step('withdraw', {
    summary: 'Take a proposed commitment back to draft',
    body: ref(PromiserStep),
    command: withdrawCommitment,
  })
  step(
    'agree',
    {
      summary: 'Agree to a proposed commitment',
      description:
        'For the receiver, or for the joint purpose a party of the other side; it may be recorded on its behalf.',
      body: ref(Agreeing),
      command: agreeCommitment,
    },
    opening,
  )
  step(
    'decline',
    {
      summary: 'Decline a proposed commitment',
      description: 'For the other side, with a reason.',
      body: ref(Declining),
      command: decide('decline'),
    },
    ['wrong_party', 'rule_violated'],
  )
  step(
    'pause',
    {
      summary: 'Pause one commitment',
      description:
        'For either side. A partnership that is paused pauses its agreed commitments, but for those with pause_exempt; ' +
        'a pause of its own outlasts that of the partnership.',
      body: ref(PauseStart),
      command: pauseCommitment,
    },
    opening,
  )
  step(
    'resume',
    {
      summary: 'Resume a paused commitment',
      description: 'Not while its partnership is paused, unless it is exempt. What was delivered meanwhile counts.',
      body: ref(PauseEnd),
      command: resumeCommitment,
    },
    ['state_forbids', 'rule_violated'],
  )
  step(
    'lapse',
    {
      summary: 'Let a commitment lapse by circumstances',
      description:
        'For either side, by a disruption or a text that says why. It is still owed: it may be reinstated, or the ' +
        'receiver may release it.',
      body: ref(Lapsing),
      command: decide('lapse'),
    },
    ['wrong_party', 'rule_violated'],
  )
  step(
    'reinstate',
    {
      summary: 'Reinstate a lapsed commitment',
      description: 'For either side. Where everything had been delivered, it is fulfilled at once.',
      body: ref(Reinstating),
      command: decide('reinstate'),
    },
    opening,
  )
  step('release', {
    summary: 'Release the promiser from a commitment',
    description: 'For the receiver, or for the joint purpose a party of the other side: it lets go.',
    body: ref(Releasing),
    command: decide('release'),
  })
  step('cancel', {
    summary: 'Cancel a commitment',
    description: 'For the promiser, with a reason: it withdraws what it promised.',
    body: ref(Cancelling),
    command: decide('cancel'),
  })
}
