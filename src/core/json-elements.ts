/** One element of an array in a JSON text, as it stands there. */
export interface Element {
  /** The line of the text on which it begins, counted from 1. */
  line: number
  text: string
}

/** What may stand before the array, and in one element, in characters. */
const textMax = 4_000_000

/**
 * Cuts the elements of an array that is a member of a JSON object out of a text that arrives in parts, without parsing
 * them: so that one malformed element is told by its line and does not take the others with it, and nothing of the
 * text is held but the element at hand.
 */
export class ElementCutter {
  private readonly name: string
  private held = ''
  private line = 1
  private fromLine = 0
  /** Where in what is held the element at hand begins; none between elements. */
  private from = -1
  private at = 0
  private depth = 0
  private isInString = false
  private state: 'before' | 'within' | 'after' = 'before'

  constructor(name: string) {
    this.name = name
  }

  /** The elements that end in this part. @throws Error where one does not end within bounds */
  *push(part: string): Generator<Element> {
    if (this.state === 'after') return
    this.held += part
    if (this.state === 'before' && !this.begin()) return
    yield* this.cut()
    if (this.held.length > textMax) throw new Error(`An element of "${this.name}" is longer than ${textMax} characters`)
  }

  /** @throws Error where there was no such array, or it did not end */
  end(): void {
    if (this.state === 'before') throw new Error(`There is no array "${this.name}" in the text`)
    if (this.state === 'within') throw new Error(`The array "${this.name}" does not end: the text is cut off`)
  }

  private begin(): boolean {
    const start = new RegExp(`"${this.name}"\\s*:\\s*\\[`).exec(this.held)
    if (!start) {
      if (this.held.length > textMax) this.end()
      return false
    }
    const begins = start.index + start[0].length
    this.line = this.held.slice(0, begins).split('\n').length
    this.held = this.held.slice(begins)
    this.state = 'within'
    return true
  }

  private *cut(): Generator<Element> {
    for (; this.at < this.held.length; this.at += 1) {
      const character = this.held[this.at] as string
      if (character === '\n') this.line += 1
      if (this.isInString) {
        if (character === '\\') {
          // What is escaped may only come with the next part.
          if (this.at + 1 === this.held.length) return
          this.at += 1
          if (this.held[this.at] === '\n') this.line += 1
        } else if (character === '"') this.isInString = false
        continue
      }
      const isEnd = this.depth === 0 && (character === ',' || character === ']')
      if (isEnd && this.from >= 0) yield this.take()
      if (isEnd && character === ']') {
        this.state = 'after'
        this.held = ''
        return
      }
      if (!isEnd && this.from < 0 && /\S/.test(character)) {
        this.from = this.at
        this.fromLine = this.line
      }
      if (character === '"') this.isInString = true
      else if (character === '{' || character === '[') this.depth += 1
      else if (character === '}' || character === ']') this.depth -= 1
    }
    const done = this.from < 0 ? this.at : this.from
    this.held = this.held.slice(done)
    this.at -= done
    if (this.from >= 0) this.from = 0
  }

  private take(): Element {
    const element = { line: this.fromLine, text: this.held.slice(this.from, this.at).trimEnd() }
    this.held = this.held.slice(this.at)
    this.at = 0
    this.from = -1
    return element
  }
}
