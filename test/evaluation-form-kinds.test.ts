import t from 'tap'
import { fixedClock } from '../src/core/clock.ts'
import { lookAt, noBrowser } from './support/browser.ts'
import { type Json, startService } from './support/harness.ts'
import { pointsOf } from './support/questionnaires.ts'
import { partnershipOf, plan, stepRound } from './support/rounds.ts'

// The page for respondents with questions of every kind, in languages that it has no words of its own in, and in one that
// is written from the right.

const clock = fixedClock('2026-06-15T10:00:00Z')
const service = await startService(t, { clock })

/** A text in the languages of the questionnaire; by itself it says the same in each but Arabic. */
const say = (nl: string, ar: string, en = nl) => ({ nl, en, de: `${en} (Deutsch)`, ar })
const anchors = (points: readonly number[]) =>
  points.map((score) => ({
    score,
    label: say(
      `${score}: ${'wij weten van elkaar wat er speelt en handelen er steeds naar '.repeat(score === 5 ? 4 : 1)}`,
      `${score}: نعرف ما يجري لدى الطرف الآخر`,
    ),
  }))
const long = 'Onderwijsondersteuningsvrijwilligerswervingscampagnecoördinatie '
const arabic = 'نحن نثق ببعضنا البعض ونتحدث بصراحة عن الأمور الصعبة أيضاً'

const items = Object.entries(pointsOf).flatMap(([scale, points]) =>
  [true, false].map((required) => ({
    code: `${scale}_${required ? 'required' : 'optional'}`,
    dimension: required ? 'needed' : 'free',
    statement: say(
      required ? `Wij vertrouwen elkaar (${scale})` : `${long.repeat(3)} ${'en dan nog een lange zin. '.repeat(12)}`,
      arabic,
    ),
    scale,
    required,
    ...(points.length > 0 ? { anchors: anchors(points) } : {}),
  })),
)
const template = await service.make('/v1/evaluation-templates', {
  code: 'every-kind',
  title: say(`Vragen van elke soort, met een lange titel: ${long}`, 'أسئلة من كل نوع'),
  introduction: say('Neem de tijd. <Er is> geen goed of fout & alles telt.', 'خذ وقتك. لا توجد إجابة صحيحة أو خاطئة.'),
  dimensions: [
    { code: 'needed', label: say('Wat nodig is', 'ما هو مطلوب') },
    { code: 'free', label: say('Wat vrij is', 'ما هو اختياري') },
  ],
  items: [
    ...items,
    {
      code: 'prediction',
      dimension: 'free',
      statement: say('Wij vertrouwen elkaar', arabic),
      perspective: 'predict_other',
      predicts: 'likert5_required',
    },
  ],
})
const partnership = await partnershipOf(service)
const planned = await plan(service, partnership, { template_code: template.code, closes_at: '2026-06-30T20:00:00Z' })
const tokens: string[] = []
for (const { id } of partnership.parties) {
  tokens.push((await service.make(`/v1/evaluations/${planned.id}/invitations`, { party_id: id })).token)
}
const [looked, answered] = tokens as [string, string]
const round = await stepRound(service, planned, 'open')

const send = (fields: Record<string, string>) =>
  service.app.inject({
    method: 'POST',
    url: `/answer/${looked}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(fields).toString(),
  })

t.test('the page says which language it is in, word by word, and which way that runs', async (t) => {
  const read = async (language: string) => (await service.app.inject(`/answer/${looked}?language=${language}`)).payload
  const inArabic = await read('ar')
  t.match(inArabic, /<html lang="ar" dir="rtl">/)
  t.match(inArabic, /<span lang="en" dir="ltr">not applicable<\/span>/, 'its own words are English, and run their way')
  t.match(inArabic, /<div class="box" lang="en" dir="ltr">\n.*\n<p>They are about the time from January 1, 2026 to/)
  t.match(inArabic, /lang="nl" dir="ltr">Nederlands</, 'the other languages are offered by their names')
  const inGerman = await read('de')
  t.match(inGerman, /<html lang="de" dir="ltr">/)
  t.match(inGerman, /<span lang="en" dir="ltr">not applicable<\/span>/)
  const inDutch = await read('nl')
  t.match(inDutch, /lang="ar" dir="rtl">العربية</)
  t.match(inDutch, /<span>niet van toepassing<\/span>/)
  t.match(inDutch, /&lt;Er is&gt; geen goed of fout &amp; alles telt/)
})

t.test('a text that must be answered is written, or said not to apply, and not both', async (t) => {
  const nothing = await send({ language: 'nl', action: 'submit' })
  t.equal(nothing.statusCode, 422)
  t.match(nothing.payload, /id="q-text_required-fault">Schrijf een antwoord, of kies/)
  t.match(nothing.payload, /id="q-likert5_required-fault">Kies een antwoord/)
  t.notMatch(nothing.payload, /q-text_optional-fault|name="na.text_optional"/, 'what is optional may be left out')
  const both = await send({ language: 'nl', 'q.text_required': 'Ja', 'na.text_required': '1', action: 'save' })
  t.equal(both.statusCode, 422)
  t.match(both.payload, /niet allebei/)
  t.match(both.payload, />\nJa<\/textarea>/, 'what was written is still there')
  const none = await send({ language: 'nl', 'na.text_required': '1', 'q.rag3_required': '2', action: 'save' })
  t.equal(none.statusCode, 303)
  const { payload } = await service.app.inject({
    url: none.headers.location as string,
    headers: { cookie: String(none.headers['set-cookie']).split(';')[0] as string },
  })
  t.match(payload, /name="na.text_required" value="1" checked/, 'and it is kept')
})

t.test('in a browser', { skip: noBrowser }, async (t) => {
  const { address, open, violations, shoot } = await lookAt(t, service)
  const sizes = { phone: { width: 375, height: 740 }, desktop: { width: 1280, height: 900 } }

  for (const [size, language, send] of [
    ['phone', 'nl', 'Versturen'],
    ['phone', 'ar', 'Send'],
    ['desktop', 'ar', 'Send'],
    ['desktop', 'de', 'Send'],
  ] as const) {
    await t.test(`every kind of question can be read and used: ${size}, ${language}`, async (t) => {
      const viewport = sizes[size]
      await open({ viewport, bypassCSP: true }, async (page) => {
        await page.goto(address(looked, `?language=${language}`))
        t.same(await violations(page), [])
        await shoot(page, `kinds-${size}-${language}`)
        await page.getByRole('button', { name: send }).click()
        t.same(await violations(page), [], 'nor where it names what is missing')
        await shoot(page, `kinds-${size}-${language}-faults`)
        const beyond = await page.evaluate(
          `[...document.querySelectorAll('body *')].filter((e) => {
            const { left, right } = e.getBoundingClientRect()
            return right > ${viewport.width} + 1 || left < -1
          }).map((e) => e.outerHTML.slice(0, 80))`,
        )
        t.same(beyond, [], 'nothing stands out of the screen')
        const start = await page.evaluate(
          `(() => { const [radio] = document.querySelectorAll('fieldset input'); const label = radio.parentElement
            return radio.getBoundingClientRect().left - label.getBoundingClientRect().left < 40 })()`,
        )
        t.equal(start, language !== 'ar', 'answers begin where the language does')
      })
    })
  }

  await t.test('without scripts it is filled in from the right, saved, changed and sent', async (t) => {
    await open({ viewport: sizes.phone, javaScriptEnabled: false }, async (page) => {
      await page.goto(address(answered, '?language=ar'))
      for (const [scale, points] of Object.entries(pointsOf)) {
        if (points.length === 0) continue
        await page.locator(`input[name="q.${scale}_required"][value="${points.at(-1)}"]`).check()
      }
      await page.locator('input[name="q.yes_no_optional"][value="na"]').check()
      await page.locator('textarea[name="q.text_optional"]').fill('المزيد من الوقت\nلنا')
      await page.locator('input[name="na.text_required"]').check()
      await page.getByRole('button', { name: 'Save and go on later' }).click()
      await page.getByRole('status').waitFor()
      await page.getByRole('button', { name: 'Deutsch' }).click()
      await page.locator('html[lang="de"]').waitFor()
      t.equal(await page.locator('input:checked').count(), 7, 'a change of language takes it along')
      await page.locator('input[name="q.rag3_required"][value="1"]').check()
      await page.locator('input[name="q.prediction"][value="4"]').check()
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByRole('heading', { name: 'Thank you' }).waitFor()
    })
    await stepRound(service, round, 'close')
    const { data } = (await service.get(`/v1/evaluations/${round.id}/responses`)).body
    const given = Object.fromEntries(
      data[0].answers.map(({ item_code, score, text, not_applicable }: Json) => [
        item_code,
        not_applicable ? 'na' : (score ?? text),
      ]),
    )
    t.strictSame(given, {
      likert5_required: 5,
      likert7_required: 7,
      rag3_required: 1,
      anchored5_required: 5,
      yes_no_required: 1,
      yes_no_optional: 'na',
      text_required: 'na',
      text_optional: 'المزيد من الوقت\nلنا',
      prediction: 4,
    })
  })
})
