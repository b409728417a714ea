/** What a token says, before anything of it is believed. */
export interface Unverified {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** Longer than any that a sensible issuer makes. */
export const tokenMaxBytes = 8192

/** Names of a header that would let a token say by which key it is to be believed. */
const keyBringers = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64']

/**
 * Reads the parts of a signed token (JWS compact form), without believing them. Undefined for whatever is not in the one
 * form that there is: too long, not canonical base64url, not an object, a name twice, or bringing its own key.
 */
export function readToken(token: string): Unverified | undefined {
  if (token.length > tokenMaxBytes) return undefined
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const [header, claims] = parts.map((part) => {
    const bytes = Buffer.from(part, 'base64url')
    // Base64 has spellings that decode alike: only one of them is this token.
    return bytes.toString('base64url') === part ? bytes.toString('utf8') : undefined
  })
  const signature = parts[2] ?? ''
  if (header === undefined || claims === undefined || signature === '') return undefined
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined
  const [readHeader, readClaims] = [objectOf(header), objectOf(claims)]
  if (!readHeader || !readClaims || keyBringers.some((name) => name in readHeader)) return undefined
  return { header: readHeader, claims: readClaims }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    // What is written twice is read differently by different readers.
    return namesTwice(text) ? undefined : (value as Record<string, unknown>)
  } catch {
    return undefined
  }
}

/** True where an object of this JSON text, which is well-formed, has a name twice, however deep. */
export function namesTwice(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  const strings = /"(?:[^"\\]|\\.)*"|[{}[\]]/g
  for (let match = strings.exec(text); match; match = strings.exec(text)) {
    const [token] = match
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (/^\s*:/.test(text.slice(strings.lastIndex, strings.lastIndex + 64))) {
      const names = open.at(-1)
      const name = JSON.parse(token) as string
      if (names?.has(name)) return true
      names?.add(name)
    }
  }
  return false
}
