/** One element of an array in a JSON text, as it stands there. */
export interface Element {
  /** The line of the text on which it begins, counted from 1. */
  line: number
  text: string
}

/**
 * The elements of the array that is the member `name` of a JSON object, cut out without parsing them: so that one
 * malformed element is told by its line and does not take the others with it.
 * @throws Error where there is no such array, or it does not end
 */
export function elementsOf(json: string, name: string): Element[] {
  const start = new RegExp(`"${name}"\\s*:\\s*\\[`).exec(json)
  if (!start) throw new Error(`There is no array "${name}" in the text`)
  const elements: Element[] = []
  const begins = start.index + start[0].length
  let line = json.slice(0, begins).split('\n').length
  let from = -1
  let fromLine = 0
  let depth = 0
  let inString = false
  for (let at = begins; at < json.length; at += 1) {
    const character = json[at] as string
    if (character === '\n') line += 1
    if (inString) {
      if (character === '\\') at += 1
      else if (character === '"') inString = false
      continue
    }
    const ends = depth === 0 && (character === ',' || character === ']')
    if (ends && from >= 0) {
      elements.push({ line: fromLine, text: json.slice(from, at).trimEnd() })
      from = -1
    }
    if (ends && character === ']') return elements
    if (!ends && from < 0 && /\S/.test(character)) {
      from = at
      fromLine = line
    }
    if (character === '"') inString = true
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
  }
  throw new Error(`The array "${name}" does not end: the text is cut off`)
}
