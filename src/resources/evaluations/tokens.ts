import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** A token that lets its holder answer a round once: 256 bits. Only its hash is stored. */
export const makeToken = (): string => randomBytes(32).toString('base64url')

/** The form in which a token is stored, and found again. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

export const tokenPattern = '^[A-Za-z0-9_-]{43}$'

/**
 * What opens a draft beside the token: whoever sent the token out knows that too, and must not read along. It is made
 * anew with each draft and stored nowhere.
 */
export const makeDraftKey = makeToken

const sealingKey = (token: string, draftKey: string): Buffer =>
  Buffer.from(hkdfSync('sha256', token, draftKey, 'beide answers in draft', 32))

/** Encrypts a draft (AES-256-GCM) so that the service itself cannot read it again by what it stores. */
export function sealDraft(token: string, draftKey: string, text: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(token, draftKey), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** The draft, or null where it was sealed with another key. */
export function openDraft(token: string, draftKey: string, sealed: Buffer): string | null {
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(token, draftKey), sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(-16))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
