import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../../core/problem.ts'
import { type Tx, wholeTenant } from '../../../db/database.ts'
import type { SliceOptions } from '../../../platform/collection.ts'
import { problemFrom } from '../../../platform/errors.ts'
import { guessLimit } from '../../../platform/limits.ts'
import {
  callerFor,
  declineAnswers,
  type Respondent,
  readForm,
  respondentOf,
  saveDraft,
  submitAnswers,
} from '../respondent.ts'
import type { AnswerForm } from '../respondent-schemas.ts'
import { type Given, givenIn } from './given.ts'
import { type Entries, formPage, messagePage } from './page.ts'
import { contentSecurityPolicy } from './style.ts'

export interface FormOptions extends SliceOptions {
  requestsPerMinute: number
  /** Where respondents reach the service; over https the draft's cookie travels over nothing else. */
  publicUrl: string
}

type Asking = FastifyRequest<{ Params: { token: string }; Querystring: Record<string, string | string[] | undefined> }>

const cookieName = 'beide_draft'
const keptSeconds = 90 * 86_400
const formBytesMax = 1_048_576

/** The one page that respondents see: the questionnaire as a form that works without scripts. */
export async function answerForm(app: FastifyInstance, options: FormOptions): Promise<void> {
  const { database, clock, requestsPerMinute } = options
  await app.register(guessLimit, { requestsPerMinute })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formBytesMax },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': contentSecurityPolicy,
      // The address is a credential: it goes to nobody.
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
    })
  })
  app.setErrorHandler((error, request, reply) => {
    const { status, code, headers } = problemFrom(error, request)
    if (status >= 500) request.log.error({ err: error, code }, 'the form failed')
    const which = status === 404 ? 'unknown' : status === 429 ? 'busy' : 'failed'
    const page = messagePage(languageOf(request as Asking), which)
    return reply.code(status).headers(headers).type('text/html; charset=utf-8').send(page)
  })
  const schema = { hide: true } as never

  const respondent = async (request: Asking): Promise<Respondent> => {
    try {
      const found = await respondentOf(database, request.params.token)
      await app.limitToken(request)
      return found
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') await app.limitGuesses(request)
      throw error
    }
  }
  const read = (who: Respondent, request: Asking, language: string | undefined): Promise<AnswerForm> =>
    database.read(wholeTenant(who.tenantId), (tx) =>
      readForm(tx, who, clock.now(), { language, draftKey: draftKeyOf(request) }),
    )

  app.get('/answer/:token', { schema }, async (request, reply) => {
    const asking = request as Asking
    const who = await respondent(asking)
    const form = await read(who, asking, askedIn(asking))
    return send(reply, form, { answers: form.draft ?? [], faults: new Map(), isSaved: asking.query['saved'] === '1' })
  })

  app.post('/answer/:token', { schema }, async (request, reply) => {
    const asking = request as Asking
    const who = await respondent(asking)
    const sent = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const form = await read(who, asking, sent.get('language') ?? undefined)
    if (!form.questionnaire) return send(reply, form, { answers: [], faults: new Map(), isSaved: false })
    const given = givenIn(form.questionnaire, sent)
    const write = <T>(work: (tx: Tx) => Promise<T>) => database.write(callerFor(who, request.id, clock.now()), work)
    const to = await act({ who, form, given, asking, write, options }, sent.get('action') ?? '', reply)
    if (to !== null) return reply.redirect(to, 303)
    return send(reply.code(422), form, { answers: given.answers, faults: given.faults, isSaved: false })
  })
}

interface Acting {
  who: Respondent
  form: AnswerForm
  given: Given
  asking: Asking
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  options: FormOptions
}

/** Does what a button asks for. @returns the address to go on at, or null where the form is shown again with its faults */
async function act({ who, form, given, asking, write, options }: Acting, action: string, reply: FastifyReply) {
  const here = (query: Record<string, string>) => `/answer/${who.token}?${new URLSearchParams(query)}`
  if (action === 'decline') {
    await write((tx) => declineAnswers(tx, who))
    forgetDraft(reply, who)
    return here({ language: form.language })
  }
  if (action === 'submit') {
    for (const [code, fault] of given.missing) given.faults.set(code, fault)
    if (given.faults.size > 0) return null
    await write((tx) => submitAnswers(tx, who, { answers: given.answers }))
    forgetDraft(reply, who)
    return here({ language: form.language })
  }
  if (given.faults.size > 0) return null
  const known = draftKeyOf(asking)
  const draft = { answers: given.answers, ...(known === undefined ? {} : { draft_key: known }) }
  const { draft_key } = await write((tx) => saveDraft(tx, who, draft))
  const secure = options.publicUrl.startsWith('https:') ? '; Secure' : ''
  // Lax: the link is opened from a mail.
  const rules = `Path=/answer/${who.token}; HttpOnly; SameSite=Lax; Max-Age=${keptSeconds}${secure}`
  reply.header('set-cookie', `${cookieName}=${draft_key}; ${rules}`)
  const other = /^language-([A-Za-z0-9-]{2,35})$/.exec(action)?.[1]
  return here(other === undefined ? { language: form.language, saved: '1' } : { language: other })
}

function forgetDraft(reply: FastifyReply, { token }: Respondent): void {
  reply.header('set-cookie', `${cookieName}=; Path=/answer/${token}; HttpOnly; SameSite=Lax; Max-Age=0`)
}

/** What opens the draft, from the browser that it was saved in. */
function draftKeyOf(request: FastifyRequest): string | undefined {
  return new RegExp(`(?:^|;\\s*)${cookieName}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1]
}

/** The language that the address asks for: the first, where it names several. */
const askedIn = ({ query }: Asking): string | undefined => [query?.['language']].flat()[0]

/** A page without a questionnaire speaks as it was asked to, or as the browser would like. */
const languageOf = (request: Asking): string =>
  askedIn(request) ?? (/^\s*nl\b/i.test(request.headers['accept-language'] ?? '') ? 'nl' : 'en')

const send = (reply: FastifyReply, form: AnswerForm, entries: Entries): FastifyReply =>
  reply.type('text/html; charset=utf-8').send(formPage(form, entries))
