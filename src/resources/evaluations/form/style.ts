import { createHash } from 'node:crypto'

/** The one style sheet: light and dark, from a small phone to a desktop. */
export const style = `
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#50505a;--paper:#fff;--card:#f4f4f7;--line:#8a8a94;--accent:#0b57a4;--on:#fff;--bad:#a8071a;--good:#0b6b3a}
@media (prefers-color-scheme:dark){:root{--ink:#f0f0f4;--soft:#c0c0ca;--paper:#16161a;--card:#232329;--line:#8a8a94;--accent:#9ecbff;--on:#10243a;--bad:#ff9a94;--good:#7fe0aa}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--paper);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
header,main,footer{max-width:44rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}
.box{border-inline-start:.3rem solid var(--accent);background:var(--card);padding:.75rem 1rem;margin:1rem 0}
.box.bad{border-color:var(--bad)}.box.good{border-color:var(--good)}
.box.bad h2{margin:0 0 .5rem}
a{color:var(--accent)}
fieldset,.words{border:1px solid var(--line);border-radius:.5rem;padding:.5rem 1rem 1rem;margin:0 0 1rem;min-width:0}
fieldset.bad,.words.bad{border:2px solid var(--bad)}
legend,.words>label:not(.option){font-weight:600;padding:.25rem .25rem;display:block}
legend{float:inline-start;width:100%;margin-bottom:.25rem}
legend+*{clear:both}
.fault{color:var(--bad);font-weight:600}
[dir=rtl] :is(.fault,.soft,h2){text-align:right}
.ask{display:block}.free{display:inline-block;font-weight:400}
.options{display:flex;flex-direction:column;gap:.25rem}
.option{display:flex;gap:.75rem;align-items:center;padding:.5rem;border-radius:.375rem;min-height:2.75rem;cursor:pointer}
.option:hover{background:var(--card)}
.option input{width:1.35rem;height:1.35rem;flex:none;margin:0;accent-color:var(--accent)}
.option.apart{border-top:1px solid var(--line);border-radius:0}
textarea{width:100%;min-height:8rem;padding:.5rem;font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.375rem}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0}
button{font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;border-radius:.375rem;border:2px solid var(--accent);background:transparent;color:var(--accent);cursor:pointer}
button.first{background:var(--accent);color:var(--on);font-weight:600}
button.small{min-height:2.75rem;padding:.25rem .75rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
details{margin:2rem 0}summary{cursor:pointer;min-height:2.75rem;display:flex;align-items:center;color:var(--accent);text-decoration:underline}
@media (min-width:40rem){header,main,footer{padding:1.5rem 2rem}h1{font-size:2rem}}
@media (max-width:30rem){.buttons{flex-direction:column}.buttons button{width:100%}}
`

const hash = createHash('sha256').update(style).digest('base64')

/** Nothing but this page and its style: no script, no other server, in no frame. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`
