import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Keeps secrets that the service itself must use again, such as those that sign webhooks. */
export interface SecretBox {
  /** The form in which a secret is stored. */
  seal(secret: string): string
  /** @throws Error where the key that it was sealed with is not among the configured */
  open(stored: string): string
}

/**
 * A box whose first key seals, and whose every key opens: a new key goes in front. Without a key secrets are stored as
 * they are, behind the walls of the database alone; what was stored so can still be opened once there is a key.
 * @param keys of 32 bytes each
 */
export function secretBox(keys: readonly Buffer[]): SecretBox {
  const idOf = (key: Buffer) => createHash('sha256').update(key).digest('base64url').slice(0, 8)
  const byId = new Map(keys.map((key) => [idOf(key), key]))
  const [first] = keys
  return {
    seal(secret) {
      if (!first) return `plain:${secret}`
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', first, nonce)
      const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `sealed:${idOf(first)}:${sealed.toString('base64url')}`
    },
    open(stored) {
      if (stored.startsWith('plain:')) return stored.slice(6)
      const [, id = '', text = ''] = stored.split(':')
      const key = byId.get(id)
      if (!key) throw new Error(`A secret was sealed with the key ${id}, which SECRETS_KEYS does not have`)
      const sealed = Buffer.from(text, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
      decipher.setAuthTag(sealed.subarray(-16))
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8')
    },
  }
}
