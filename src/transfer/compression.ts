import type { Transform } from 'node:stream'
import { createGzip, createZstdCompress } from 'node:zlib'

export const encodings = ['zstd', 'gzip'] as const
/** How a body is made smaller, by its name in Content-Encoding. */
export type Encoding = (typeof encodings)[number]

/** The encoding that a request asks for in Accept-Encoding, by name: zstd before gzip. Undefined for none of them. */
export function encodingFor(accepted: string | string[] | undefined): Encoding | undefined {
  const names = String(accepted ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((part) => {
      const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim())
      return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name]
    })
  return encodings.find((encoding) => names.includes(encoding))
}

// Fast rather than small: what is streamed waits for it.
const gzipLevel = 4

/** A stream that compresses what is written to it. */
export const compressor = (encoding: Encoding): Transform =>
  encoding === 'zstd' ? createZstdCompress() : createGzip({ level: gzipLevel })
