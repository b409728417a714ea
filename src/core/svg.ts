/**
 * Pictures as SVG: small, without scripts or anything from elsewhere, legible in black and white, in the light and in the
 * dark. What differs is told by shape, line and pattern, never by colour alone.
 */

type Value = string | number | undefined

/** Text as it may stand in XML: escaped, and without what XML does not allow. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const rounded = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeXml(value)

/** One element; attributes that are undefined are left out, children are SVG already. */
export function element(name: string, attributes: Readonly<Record<string, Value>>, ...children: string[]): string {
  const told = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${rounded(value)}"`],
  )
  return children.length === 0
    ? `<${name}${told.join('')}/>`
    : `<${name}${told.join('')}>${children.join('')}</${name}>`
}

/** A line of text. */
export const label = (x: number, y: number, text: string, attributes: Readonly<Record<string, Value>> = {}): string =>
  element('text', { x, y, ...attributes }, escapeXml(text))

/** A text of at most so many characters. */
export const shortened = (text: string, length: number): string =>
  [...text].length > length ? `${[...text].slice(0, length - 1).join('')}…` : text

const style = `
svg { --ink: #1a1a1a; --paper: #ffffff; --faint: #8a8a8a; background: var(--paper) }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f0f0; --paper: #161616; --faint: #9a9a9a } }
text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 11px }
.strong { font-weight: 600 }
.paper { fill: var(--paper) }
.line { stroke: var(--ink); fill: none }
.faint { stroke: var(--faint); fill: none; stroke-dasharray: 3 3 }
.plain { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5 }
.dark { fill: var(--ink); stroke: var(--ink); stroke-width: 1.5 }
.hatched { fill: url(#hatch); stroke: var(--ink); stroke-width: 1.5 }
.dashed { stroke-dasharray: 4 3 }
.on-dark { fill: var(--paper) }`

const hatch = element(
  'defs',
  {},
  element(
    'pattern',
    { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    element('rect', { class: 'paper', width: 6, height: 6 }),
    element('line', { class: 'line', x1: 0, y1: 0, x2: 0, y2: 6, 'stroke-width': 3 }),
  ),
)

export interface Picture {
  width: number
  height: number
  /** A language tag (BCP 47). */
  language: string
  title: string
  /** What the picture shows, in words: for those who do not see it. */
  description: string
}

/** A whole document. The classes are `plain`, `hatched`, `dark` and `dashed` for areas, `line` and `faint` for lines. */
export const picture = ({ width, height, language, title, description }: Picture, ...body: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'xml:lang': language,
      'aria-labelledby': 'title desc',
    },
    element('title', { id: 'title' }, escapeXml(title)),
    element('desc', { id: 'desc' }, escapeXml(description)),
    element('style', {}, style),
    hatch,
    element('rect', { class: 'paper', width, height }),
    ...body,
  )}\n`
