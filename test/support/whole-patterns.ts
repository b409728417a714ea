import { Assertions } from '@tapjs/asserts'

// `t.match` takes a list that begins as the pattern does: a test that says `faults: []` would pass whatever faults there
// are. Here a list is matched by one of the same length alone.

const nothingMore = Symbol('nothing more')

/** The pattern, which no list that is longer fits. */
function whole(found: unknown, pattern: unknown): unknown {
  if (typeof pattern !== 'object' || pattern === null || typeof found !== 'object' || found === null) return pattern
  if (Array.isArray(pattern)) {
    if (!Array.isArray(found)) return pattern
    const complete = pattern.map((item, at) => whole(found[at], item))
    return found.length > pattern.length ? [...complete, nothingMore] : complete
  }
  if (Object.getPrototypeOf(pattern) !== Object.prototype) return pattern
  return Object.fromEntries(
    Object.entries(pattern).map(([name, of]) => [name, whole((found as Record<string, unknown>)[name], of)]),
  )
}

const { match } = Assertions.prototype
Assertions.prototype.match = function (found, pattern, ...rest) {
  return match.call(this, found, whole(found, pattern), ...rest)
}
