import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { lookAt, noBrowser } from './support/browser.ts'
import { type Json, startService } from './support/harness.ts'
import { answersWith, individualRound, partnershipOf, review, stepRound } from './support/rounds.ts'

const clock = fixedClock('2026-06-15T10:00:00Z')
const service = await startService(t, { clock })
const partnership = await partnershipOf(service)
const { round, tokens } = await individualRound(
  service,
  partnership,
  { company: 8, non_profit: 3 },
  { closes_at: '2026-06-30T20:00:00Z' },
)
const given = [...(tokens['company'] ?? [])]
const nextToken = (): string => given.shift() as string
const required = review.items.filter((item) => item.required).length

const form = (token: string, fields: Record<string, string> | undefined, headers: Record<string, string> = {}) =>
  service.app.inject({
    method: fields ? 'POST' : 'GET',
    url: `/answer/${token}`,
    headers: { ...(fields ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
    ...(fields ? { payload: new URLSearchParams(fields).toString() } : {}),
  })
/** The fields of a form that answers every item. */
const filled = (points: number, text = 'Meer <b>samen</b>'): Record<string, string> =>
  Object.fromEntries(
    answersWith(points, text).map((answer) => [`q.${answer.item_code}`, String(answer.score ?? answer.text)]),
  )

t.test('the page is kept by nobody, framed by nobody, and runs nothing', async (t) => {
  const { statusCode, headers, payload } = await form(nextToken(), undefined)
  t.equal(statusCode, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers['referrer-policy'], 'no-referrer')
  t.match(headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/)
  t.notMatch(payload, /<script| on\w+=|https?:/i)
  t.match(payload, /at least 3 people/)
  t.match(payload, /Tuesday 30 June 2026|Tuesday, June 30, 2026/, 'the deadline, where the partnership lives')
  t.match(payload, /10:00 PM|22:00/)
})

t.test('what is sent in without an answer is shown again, with each fault and all that was filled in', async (t) => {
  const token = nextToken()
  const { why_goal_clear: _, ...some } = {
    'q.why_goal_clear': '4',
    'q.impact_first_change': 'A <tag> & "more"',
  } as Json
  const answer = await form(token, { ...some, action: 'submit' })
  t.equal(answer.statusCode, 422)
  t.match(answer.payload, new RegExp(`${required - 1} questions still need an answer`))
  t.match(answer.payload, /value="4" checked/)
  t.match(answer.payload, /A &lt;tag&gt; &amp; &quot;more&quot;/)
  t.match(answer.payload, /href="#q-why_fits_strategy"/)
  const long = await form(token, { ...filled(2), 'q.impact_first_change': 'x'.repeat(10_001), action: 'submit' })
  t.equal(long.statusCode, 422)
  t.match(long.payload, /at most 10,000/)
  t.match((await service.get(`/v1/answers/${token}`, { key: null })).body, { status: 'open' })
})

t.test('an address that asks for two languages is answered in the first, one that leads nowhere too', async (t) => {
  for (const [token, status] of [
    [given[0], 200],
    ['nobodys', 404],
  ] as const) {
    const { statusCode, payload } = await service.app.inject({ url: `/answer/${token}?language=nl&language=en` })
    t.equal(statusCode, status)
    t.match(payload, /<html lang="nl"/)
  }
})

t.test('another method is told which there are', async (t) => {
  for (const method of ['PUT', 'DELETE', 'OPTIONS'] as const) {
    const { statusCode, headers } = await service.app.inject({ method, url: `/answer/${given[0]}` })
    t.equal(statusCode, method === 'OPTIONS' ? 204 : 405)
    t.equal(headers.allow, 'GET, HEAD, OPTIONS, POST')
  }
})

t.test('a draft is kept under a key of the service’s own, not under one that a browser makes up', async (t) => {
  const headers = { cookie: 'beide_draft=x' }
  const saved = await form(given[0] as string, { 'q.why_goal_clear': '2', action: 'save' }, headers)
  t.match(String(saved.headers['set-cookie']), /^beide_draft=[\w-]{43};/)
  const draft = { answers: [], draft_key: 'x' }
  const answer = await service.call('PUT', `/v1/answers/${given[0]}/draft`, draft, { key: null })
  t.match(answer, { status: 400, body: { errors: [{ pointer: '/draft_key', code: 'pattern' }] } })
})

t.test('a draft goes with the browser, through a change of language too, and is gone once it is sent', async (t) => {
  const token = nextToken()
  const saved = await form(token, { 'q.why_goal_clear': '2', action: 'save' })
  t.equal(saved.statusCode, 303)
  t.equal(saved.headers.location, `/answer/${token}?language=en&saved=1`)
  const cookie = String(saved.headers['set-cookie'])
  t.match(cookie, new RegExp(`^beide_draft=[\\w-]{43}; Path=/answer/${token}; HttpOnly; SameSite=Lax`))
  const sent = { cookie: cookie.split(';')[0] as string }
  t.match((await form(token, undefined, sent)).payload, /value="2" checked/)
  t.notMatch((await form(token, undefined)).payload, /checked/, 'the link alone shows nothing of it')
  const other = await form(token, { 'q.why_goal_clear': '3', action: 'language-nl' }, sent)
  t.equal(other.headers.location, `/answer/${token}?language=nl`)
  const dutch = await service.app.inject({ url: `/answer/${token}?language=nl`, headers: sent })
  t.match(dutch.payload, /<html lang="nl" dir="ltr">/)
  t.match(dutch.payload, /value="3" checked/)
  const done = await form(token, { ...filled(3), language: 'nl', action: 'submit' }, sent)
  t.equal(done.statusCode, 303)
  t.match(String(done.headers['set-cookie']), /Max-Age=0/)
  const thanks = await service.app.inject({ url: done.headers.location as string, headers: sent })
  t.match(thanks.payload, /Dank u wel/)
  t.notMatch(thanks.payload, /samen<|checked/)
  t.match((await form(token, { ...filled(1), action: 'submit' })).payload, /Thank you/, 'nothing is counted twice')
})

t.test('who will not answer says so, and dead links say what to do', async (t) => {
  const token = nextToken()
  t.equal((await form(token, { action: 'decline' })).statusCode, 303)
  t.match((await form(token, undefined)).payload, /You will not answer/)
  const unknown = await form('A'.repeat(43), undefined, { 'accept-language': 'nl-NL,nl;q=0.9' })
  t.equal(unknown.statusCode, 404)
  t.match(unknown.payload, /Deze link werkt niet/)
  t.notMatch(unknown.headers['content-type'], 'json')
})

t.test('in a browser', { skip: noBrowser }, async (t) => {
  const { address, open, violations, shoot } = await lookAt(t, service)
  const sizes = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 900 } }

  // Every size and every colour once: a page takes seconds to look at.
  for (const [size, colorScheme] of [
    ['phone', 'light'],
    ['desktop', 'dark'],
  ] as const) {
    const viewport = sizes[size]
    await t.test(`nothing is wrong with it for assistive technology: ${size}, ${colorScheme}`, async (t) => {
      const token = given[0] as string
      await open({ viewport, colorScheme, bypassCSP: true }, async (page) => {
        await page.goto(address(token, '?language=nl'))
        t.same(await violations(page), [])
        await shoot(page, `${size}-${colorScheme}`)
        await page.getByRole('button', { name: 'Versturen' }).click()
        t.equal(await page.getByRole('alert').count(), 1)
        t.same(await violations(page), [], 'nor where it names what is missing')
        await shoot(page, `${size}-${colorScheme}-faults`)
        const wide = await page.evaluate('document.documentElement.scrollWidth')
        t.ok((wide as number) <= viewport.width, 'nothing stands out of the screen')
        const smallest = await page.evaluate(
          `Math.min(...[...document.querySelectorAll('button,.option')].filter((e) => e.offsetParent).map((e) => e.offsetHeight))`,
        )
        t.ok((smallest as number) >= 44, 'there is room for a finger')
        await page.goto(address('A'.repeat(43)))
        t.same(await violations(page), [], 'nor with what a dead link says')
      })
    })
  }

  await t.test('its style passes its own policy', async (t) => {
    await open({ viewport: sizes.desktop }, async (page) => {
      await page.goto(address(given[0] as string))
      t.equal(await page.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`), '704px')
    })
  })

  await t.test('without scripts, by keyboard alone, it is filled in, saved, and sent', async (t) => {
    const token = nextToken()
    await open({ viewport: sizes.phone, javaScriptEnabled: false }, async (page) => {
      await page.goto(address(token, '?language=nl'))
      const groups = await page.locator('fieldset').count()
      t.equal(groups, required)
      await page.locator('fieldset input').first().focus()
      await page.keyboard.press('Space')
      await page.getByRole('button', { name: /Bewaren/ }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('status').waitFor()
      t.equal(await page.locator('input:checked').count(), 1, 'what was saved is there')
      for (let at = 0; at < groups; at += 1) {
        await page.locator('fieldset').nth(at).locator('input').first().focus()
        await page.keyboard.press('Space')
      }
      await page.locator('textarea').fill('Meer tijd')
      await page.getByRole('button', { name: 'Versturen' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Dank u wel' }).waitFor()
      await shoot(page, 'thanks')
    })
    t.equal((await service.get(`/v1/answers/${token}`, { key: null })).body.status, 'answered')
  })
})

t.test('after the deadline, and once the round is closed, the page says so', async (t) => {
  const token = nextToken()
  clock.set('2026-06-30T20:00:00Z')
  t.match((await form(token, undefined)).payload, /The round is closed/)
  t.match((await form(token, { ...filled(2), action: 'submit' })).payload, /The round is closed/)
  await stepRound(service, round, 'close')
  t.match((await form(token, undefined)).payload, /The round is closed/)
})
