import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { chromium } from 'playwright-core'
import t from 'tap'
import { portalScopes, servePortal } from '../docs/examples/portal/serve.ts'
import { makeOutbound } from '../src/platform/outbound.ts'
import { type Json, startService } from './support/harness.ts'
import { agreed, allianceTakenOver, deliver } from './support/promises.ts'
import { openRound, respond } from './support/rounds.ts'

// The example portal in a browser, at a service and a provider of this machine.

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const absent = executablePath ? false : 'there is no Chromium on this machine'

t.test('a partner’s person signs in, sees what is theirs, and answers a round', { skip: absent }, async (t) => {
  const service = await startService(t, { issuers: makeOutbound({ allowPrivate: true, timeoutMs: 5000 }) })
  const { organisations, partnership, ...seats } = await allianceTakenOver(service)
  const elsewhere = await allianceTakenOver(service, { partnership: { name: 'Van anderen' } })
  const gift = await agreed(service, { partnership, ...seats }, { title: 'A gift' })
  const given = await deliver(service, gift, '250.00', { reported_by_party_id: seats.company })
  await service.step(`/v1/fulfilments/${given.id}`, 'confirm', { party_id: seats.charity })
  const past = await openRound(service, partnership, { period_from: '2025-07-01', period_to: '2025-12-31' })
  for (const party of partnership.parties) await respond(service, past, party)
  const open = await openRound(service, partnership)
  await openRound(service, elsewhere.partnership)

  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const api = `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`
  const resource = 'https://beide.example.org'
  const portal = await servePortal({ api, resource, organisations: [organisations.charity.id] })
  t.teardown(() => portal.close())
  await service.make('/v1/oidc-issuers', {
    name: 'The portal',
    issuer: portal.issuer,
    audience: resource,
    signs_in: 'partners',
    organisations_claim: 'organisations',
    scopes_claim: 'scope',
    scopes: portalScopes,
  })

  const browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ locale: 'nl-NL', viewport: { width: 360, height: 740 } })
  page.setDefaultTimeout(20_000)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const violations = async (): Promise<string[]> => {
    await page.evaluate(axe)
    const found = (await page.evaluate('axe.run(document)')) as Json
    return found.violations.map(({ id, nodes }: Json) => `${id}: ${nodes[0].html}`)
  }
  const button = (name: string) => page.getByRole('button', { name, exact: true })

  await page.goto(portal.page)
  await button('Aanmelden').waitFor()
  t.same(await violations(), [])
  await button('Aanmelden').click()
  await page.locator('[name=login]').fill('fatima')
  await page.locator('[name=password]').fill('x')
  await page.locator('button[type=submit]').click()
  await page.getByRole('button', { name: 'Continue' }).click()

  await page.getByRole('heading', { name: 'Mijn samenwerkingen' }).waitFor()
  t.equal(page.url(), portal.page, 'the code does not stay in the address')
  t.same(await page.locator('main li').allTextContents(), [partnership.name], 'theirs alone')
  t.same(await violations(), [])
  await button(partnership.name).click()

  await page.getByRole('heading', { name: 'Wat beide kanten geven' }).waitFor()
  t.match(await page.locator('dl').textContent(), /bedrijf: €\s?1\.000,00.*bedrijf: €\s?250,00/)
  const picture = page.locator('img')
  t.match(await picture.getAttribute('alt'), /Uitkomst van 2025-07-01 – 2025-12-31\. .+/)
  t.ok(
    ((await page.evaluate('document.images[0].decode().then(() => document.images[0].naturalWidth)')) as number) > 0,
    'the chart is drawn',
  )
  t.same(await violations(), [])
  const width = await page.evaluate('document.documentElement.scrollWidth')
  t.ok((width as number) <= 360, 'nothing stands out of a telephone')
  await button('English').click()
  await page.getByRole('heading', { name: 'What both sides give' }).waitFor()
  t.equal(await page.evaluate('document.documentElement.lang'), 'en')

  t.equal(await button('Answer').count(), 1, 'what was closed is not asked again')
  await button('Answer').click()
  await page.locator('fieldset').first().waitFor()
  t.same(await violations(), [])
  for (const group of await page.locator('fieldset').all()) await group.locator('input').nth(1).check()
  await page.locator('textarea').fill('More <b>time</b>')
  await button('Send').click()
  await page.getByText('Thank you: your answer was sent.').waitFor()
  const [answered] = (await service.get(`/v1/evaluations/${open.id}/invitations?party_id=${seats.charity}`)).body.data
  t.equal(answered.status, 'answered')
  await button(partnership.name).click()
  await page.getByRole('heading', { name: 'Evaluations' }).waitFor()
  t.equal(await button('Answer').count(), 0)

  await service.call(
    'PATCH',
    `/v1/partnerships/${partnership.id}`,
    { name: '<img src=x onerror=alert(1)>' },
    { ifMatch: '*' },
  )
  await button('Back').click()
  await page.getByRole('button', { name: '<img src=x onerror=alert(1)>' }).waitFor()
  t.equal(await page.locator('main img').count(), 0, 'what others wrote is text')
  t.same(errors, [])
})
