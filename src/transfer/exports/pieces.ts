import { createHash } from 'node:crypto'

/** The size of all pieces of a file but the last, in bytes. */
export const pieceBytes = 1024 * 1024

/** Cuts the bytes of a file into pieces of one size, and reckons what is said of the whole. */
export class Pieces {
  bytes = 0
  readonly #hash = createHash('sha256')
  readonly #keep: (seq: number, piece: Buffer) => Promise<void>
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #seq = 0

  constructor(keep: (seq: number, piece: Buffer) => Promise<void>) {
    this.#keep = keep
  }

  async add(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk)
    this.bytes += chunk.length
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes < pieceBytes) return
    const gathered = Buffer.concat(this.#waiting)
    let at = 0
    for (; gathered.length - at >= pieceBytes; at += pieceBytes) {
      await this.#keep(this.#seq++, gathered.subarray(at, at + pieceBytes))
    }
    // A copy, so that the rest does not hold all of it.
    this.#waiting = [Buffer.from(gathered.subarray(at))]
    this.#waitingBytes = gathered.length - at
  }

  /** Keeps what is left. @returns what the file is */
  async end(): Promise<{ bytes: number; sha256: string }> {
    if (this.#waitingBytes > 0) await this.#keep(this.#seq++, Buffer.concat(this.#waiting))
    return { bytes: this.bytes, sha256: this.#hash.digest('hex') }
  }
}
