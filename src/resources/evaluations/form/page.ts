import type { AnswerForm } from '../respondent-schemas.ts'
import type { Answer } from '../response-schemas.ts'
import { style } from './style.ts'
import { directionOf, type Fault, type Words, wordsIn } from './words.ts'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] as string)

/** Which language words are in, and which way it runs: for an element that is not in that of the page. */
const speaks = (language: string): string => ` lang="${html(language)}" dir="${directionOf(language)}"`

/** What stands on the form: what was answered so far, what is wrong with it, and whether it was just saved. */
export interface Entries {
  answers: readonly Answer[]
  faults: ReadonlyMap<string, Fault>
  isSaved: boolean
}

function documentOf(language: string, title: string, body: string): string {
  return `<!doctype html>
<html${speaks(language)}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${html(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`
}

type Message = 'answered' | 'declined' | 'not_open' | 'closed' | 'unknown' | 'busy' | 'failed'

/** A page that says one thing. */
export function messagePage(language: string, which: Message): string {
  const { words, spoken } = wordsIn(language)
  const { title, text } = words[which]
  return documentOf(spoken, title, `<main>\n<h1>${html(title)}</h1>\n<p>${html(text)}</p>\n</main>`)
}

/** The questionnaire as a form that needs no script. */
export function formPage(form: AnswerForm, entries: Entries): string {
  const { questionnaire, language } = form
  if (!questionnaire) return messagePage(language, form.status === 'open' ? 'failed' : form.status)
  const said = wordsIn(language)
  const { words, spoken } = said
  const own = speaks(spoken)
  const given = new Map(entries.answers.map((answer) => [answer.item_code, answer]))
  const sections = questionnaire.dimensions.map(({ code, label }) => {
    const questions = questionnaire.questions.filter(({ dimension }) => dimension === code)
    const fields = questions.map((question) => fieldOf(question, given.get(question.code), entries.faults, said, form))
    return `<section>\n<h2>${html(label)}</h2>\n${fields.join('\n')}\n</section>`
  })
  const body = `<form method="post" novalidate>
<input type="hidden" name="language" value="${html(language)}">
<header>
${languageSwitch(form, words)}
<p class="soft"${own}>${html(aboutOf(form, words))}</p>
<h1>${html(questionnaire.title)}</h1>
</header>
<main>
${faultsBox(form, entries, words, own)}${entries.isSaved ? `<p class="box good" role="status"${own}>${html(words.saved)}</p>\n` : ''}${questionnaire.introduction === null ? '' : `<p>${html(questionnaire.introduction)}</p>`}
<div class="box"${own}>
<p>${html(promiseOf(form, words))}</p>
<p>${html(words.period(dayIn(said.dates, form.period_from), dayIn(said.dates, form.period_to)))}${deadlineOf(form, said)}</p>
</div>
${sections.join('\n')}
<div${own}>
<p>${html(words.onlyOnce)}</p>
<div class="buttons">
<button class="first" name="action" value="submit">${html(words.submit)}</button>
<button name="action" value="save">${html(words.save)}</button>
</div>
<details>
<summary>${html(words.decline)}</summary>
<p>${html(words.declineAsk)}</p>
<button name="action" value="decline">${html(words.declineDo)}</button>
</details>
</div>
</main>
</form>`
  return documentOf(language, questionnaire.title, body)
}

const aboutOf = ({ organisation, partnership }: AnswerForm, words: Words): string =>
  partnership === null ? words.aboutItself(organisation) : words.about(organisation, partnership)

function promiseOf({ minimum_per_side: k, organisation, partnership }: AnswerForm, words: Words): string {
  if (k === null) return words.inName(organisation)
  return partnership === null ? words.individualItself(k) : words.individual(k)
}

const dayIn = (language: string, date: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`))

function deadlineOf({ closes_at, time_zone, partnership }: AnswerForm, { words, dates }: Said): string {
  if (closes_at === null) return ''
  const form = new Intl.DateTimeFormat(dates, { dateStyle: 'full', timeStyle: 'short', timeZone: time_zone })
  // An organisation lives in no zone of its own: there the page says in which the hour is.
  const zone = partnership === null ? ` (${time_zone})` : ''
  return ` ${html(words.until(form.format(new Date(closes_at)) + zone))}`
}

/** Buttons rather than links: what was filled in goes along. */
function languageSwitch({ languages, language }: AnswerForm, words: Words): string {
  const others = languages.filter((other) => other !== language)
  if (others.length === 0) return ''
  const buttons = others.map((other) => {
    const name = new Intl.DisplayNames([other], { type: 'language' }).of(other) ?? other
    return `<button class="small" name="action" value="language-${html(other)}"${speaks(other)}>${html(name)}</button>`
  })
  return `<nav aria-label="${html(words.otherLanguage)}">${buttons.join(' ')}</nav>`
}

function faultsBox({ questionnaire }: AnswerForm, { faults }: Entries, words: Words, own: string): string {
  if (faults.size === 0) return ''
  const links = (questionnaire?.questions ?? [])
    .filter(({ code }) => faults.has(code))
    .map(({ code, statement }) => `<li><a href="#q-${html(code)}">${html(statement)}</a></li>`)
  return `<div class="box bad" role="alert"><h2${own}>${html(words.faults(faults.size))}</h2><ul>${links.join('')}</ul></div>\n`
}

type Question = NonNullable<AnswerForm['questionnaire']>['questions'][number]
type Said = ReturnType<typeof wordsIn>

/** What belongs to a question beside its statement, as HTML. */
interface Beside {
  id: string
  name: string
  legend: string
  told: string
  faultId: string | undefined
}

function fieldOf(
  question: Question,
  answer: Answer | undefined,
  faults: Entries['faults'],
  { words, spoken }: Said,
  { response_mode, language }: AnswerForm,
): string {
  const own = spoken === language ? '' : speaks(spoken)
  const id = `q-${html(question.code)}`
  const fault = faults.get(question.code)
  const faultId = fault ? `${id}-fault` : undefined
  const told = fault ? `<p class="fault" id="${faultId}"${own}>${html(words[fault])}</p>` : ''
  const hint = question.required ? '' : ` <span class="soft free"${own}>${html(words.optional)}</span>`
  const predicts =
    question.perspective === 'predict_other' ? `<span class="ask soft"${own}>${html(words.predicts)}</span> ` : ''
  const legend = `${predicts}${html(question.statement)}${hint}`
  const beside = { id, name: html(question.code), legend, told, faultId }
  if (question.scale === 'text') {
    const warning = response_mode === 'individual' ? words.noNames : words.yourWords
    return textOf(question, answer, beside, `<p class="soft" id="${id}-hint"${own}>${html(warning)}</p>`, {
      words,
      own,
    })
  }
  const option = (value: string, label: string, isChosen: boolean, apart = '') =>
    `<label class="option${apart}"><input type="radio" name="q.${beside.name}" value="${value}"${isChosen ? ' checked' : ''}> ${label}</label>`
  const options = question.options.map(({ score, label }) =>
    option(String(score), html(label), answer?.score === score),
  )
  const none = `<span${own}>${html(words.notApplicable)}</span>`
  options.push(option('na', none, answer?.not_applicable === true, ' apart'))
  return `<fieldset id="${id}"${fault ? ' class="bad"' : ''}${faultId ? ` aria-describedby="${faultId}"` : ''}><legend>${legend}</legend>
${told}<div class="options">${options.join('\n')}</div></fieldset>`
}

/** A question that is answered in words. Where it must be answered, it can be said not to apply. */
function textOf(
  { required }: Question,
  answer: Answer | undefined,
  { id, name, legend, told, faultId }: Beside,
  hint: string,
  { words, own }: { words: Words; own: string },
): string {
  const described = [`${id}-hint`, faultId].filter(Boolean).join(' ')
  const chosen = answer?.not_applicable === true ? ' checked' : ''
  const none = `<label class="option"><input type="checkbox" name="na.${name}" value="1"${chosen}> <span${own}>${html(words.notApplicable)}</span></label>`
  return `<div class="words${faultId ? ' bad' : ''}" id="${id}"><label for="${id}-text">${legend}</label>
${hint}${told}
<textarea id="${id}-text" name="q.${name}" dir="auto" maxlength="10000" aria-describedby="${described}"${faultId ? ' aria-invalid="true"' : ''}>\n${html(answer?.text ?? '')}</textarea>${required ? `\n${none}` : ''}</div>`
}
