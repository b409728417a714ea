import type { AnswerForm } from '../respondent-schemas.ts'
import type { Answer } from '../response-schemas.ts'
import { style } from './style.ts'
import { type Words, wordsIn } from './words.ts'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] as string)

/** What stands on the form: what was answered so far, what is wrong with it, and whether it was just saved. */
export interface Entries {
  answers: readonly Answer[]
  faults: ReadonlyMap<string, 'mustAnswer' | 'tooLong'>
  isSaved: boolean
}

function documentOf(language: string, title: string, body: string): string {
  return `<!doctype html>
<html lang="${html(language)}">
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
  const { words, spoken } = wordsIn(language)
  const given = new Map(entries.answers.map((answer) => [answer.item_code, answer]))
  const sections = questionnaire.dimensions.map(({ code, label }) => {
    const questions = questionnaire.questions.filter(({ dimension }) => dimension === code)
    const fields = questions.map((question) => fieldOf(question, given.get(question.code), entries.faults, words, form))
    return `<section>\n<h2>${html(label)}</h2>\n${fields.join('\n')}\n</section>`
  })
  const body = `<form method="post" novalidate>
<input type="hidden" name="language" value="${html(language)}">
<header>
${languageSwitch(form, words)}
<p class="soft" lang="${spoken}">${html(aboutOf(form, words))}</p>
<h1>${html(questionnaire.title)}</h1>
</header>
<main>
${faultsBox(form, entries, words)}${entries.isSaved ? `<p class="box good" role="status">${html(words.saved)}</p>\n` : ''}${questionnaire.introduction === null ? '' : `<p>${html(questionnaire.introduction)}</p>`}
<div class="box" lang="${spoken}">
<p>${html(promiseOf(form, words))}</p>
<p>${html(words.period(dayIn(language, form.period_from), dayIn(language, form.period_to)))}${deadlineOf(form, words)}</p>
</div>
${sections.join('\n')}
<div lang="${spoken}">
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

function deadlineOf({ closes_at, time_zone, language, partnership }: AnswerForm, words: Words): string {
  if (closes_at === null) return ''
  const form = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short', timeZone: time_zone })
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
    return `<button class="small" name="action" value="language-${html(other)}" lang="${html(other)}">${html(name)}</button>`
  })
  return `<nav aria-label="${html(words.otherLanguage)}">${buttons.join(' ')}</nav>`
}

function faultsBox({ questionnaire }: AnswerForm, { faults }: Entries, words: Words): string {
  if (faults.size === 0) return ''
  const links = (questionnaire?.questions ?? [])
    .filter(({ code }) => faults.has(code))
    .map(({ code, statement }) => `<li><a href="#q-${html(code)}">${html(statement)}</a></li>`)
  return `<div class="box bad" role="alert"><h2>${html(words.faults(faults.size))}</h2><ul>${links.join('')}</ul></div>\n`
}

type Question = NonNullable<AnswerForm['questionnaire']>['questions'][number]

function fieldOf(
  question: Question,
  answer: Answer | undefined,
  faults: Entries['faults'],
  words: Words,
  { response_mode }: AnswerForm,
): string {
  const id = `q-${html(question.code)}`
  const fault = faults.get(question.code)
  const faultId = fault ? `${id}-fault` : undefined
  const told = fault ? `<p class="fault" id="${faultId}">${html(words[fault])}</p>` : ''
  const hint = question.required ? '' : ` <span class="soft">${html(words.optional)}</span>`
  const predicts = question.perspective === 'predict_other' ? `${html(words.predicts)} ` : ''
  if (question.scale === 'text') {
    const warning = response_mode === 'individual' ? html(words.noNames) : html(words.yourWords)
    const described = [`${id}-hint`, faultId].filter(Boolean).join(' ')
    return `<div class="words${fault ? ' bad' : ''}" id="${id}"><label for="${id}-text">${predicts}${html(question.statement)}${hint}</label>
<p class="soft" id="${id}-hint">${warning}</p>${told}
<textarea id="${id}-text" name="q.${html(question.code)}" maxlength="10000" aria-describedby="${described}"${fault ? ' aria-invalid="true"' : ''}>\n${html(answer?.text ?? '')}</textarea></div>`
  }
  const option = (value: string, label: string, isChosen: boolean, apart = '') =>
    `<label class="option${apart}"><input type="radio" name="q.${html(question.code)}" value="${value}"${isChosen ? ' checked' : ''}> ${html(label)}</label>`
  const options = question.options.map(({ score, label }) => option(String(score), label, answer?.score === score))
  options.push(option('na', words.notApplicable, answer?.not_applicable === true, ' apart'))
  return `<fieldset id="${id}"${fault ? ' class="bad"' : ''}${faultId ? ` aria-describedby="${faultId}"` : ''}><legend>${predicts}${html(question.statement)}${hint}</legend>
${told}<div class="options">${options.join('\n')}</div></fieldset>`
}
