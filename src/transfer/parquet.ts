import { Transform, type TransformCallback } from 'node:stream'
import { constants, zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { BinaryRows, isShort } from './binary-rows.ts'
import type { Column } from './columns.ts'

type Element = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number]

/** Digits behind the point of every decimal; the service takes no finer ones. */
export const scale = 6

/** How a type is in Parquet. Every value is of its real type; json is text, for readers would make numbers of its digits. */
const elements: Record<Column['type'], (column: Column) => Partial<Element>> = {
  uuid: () => ({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }),
  text: () => ({ type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
  code: () => ({ type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
  json: () => ({ type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
  integer: ({ isLong }) => ({ type: isLong ? 'INT64' : 'INT32' }),
  decimal: (column) =>
    isShort(column)
      ? { type: 'INT64', converted_type: 'DECIMAL', precision: 18, scale }
      : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale },
  boolean: () => ({ type: 'BOOLEAN' }),
  date: () => ({ type: 'INT32', converted_type: 'DATE' }),
  instant: () => ({
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  }),
}

function schemaOf(columns: Readonly<Record<string, Column>>): Element[] {
  const leaves = Object.entries(columns).map(
    ([name, column]): Element => ({
      name,
      repetition_type: column.isNullable ? 'OPTIONAL' : 'REQUIRED',
      ...elements[column.type](column),
    }),
  )
  return [{ name: 'schema', num_children: leaves.length }, ...leaves]
}

// Rows of a group are held as they are gathered, and other requests wait while it is encoded: neither for long.
const rowsOfGroup = 8192
const bytesOfGroup = 4 * 1024 * 1024

const params = { [constants.ZSTD_c_compressionLevel]: 1 }
const mostAtOnce = 16 * 1024

/** Fast rather than small. Told the size of a page beforehand, zstd takes no more memory than it needs for it. */
const compress = (page: Uint8Array): Buffer =>
  zstdCompressSync(page, {
    params,
    pledgedSrcSize: page.length,
    chunkSize: Math.min(Math.max(page.length, 1024), mostAtOnce),
  })

/** Makes Parquet of what `COPY … (FORMAT binary)` writes of these columns, a group of rows at a time. */
export function parquetStream(
  columns: Readonly<Record<string, Column>>,
  onRows: (count: number) => void = () => {},
): Transform {
  const names = Object.keys(columns)
  const rows = new BinaryRows(Object.values(columns), { rows: rowsOfGroup, bytes: bytesOfGroup })
  const out = new ByteWriter()
  const writer = new ParquetWriter({
    writer: out,
    schema: schemaOf(columns),
    codec: 'ZSTD',
    compressors: { ZSTD: compress },
    createdBy: 'beide',
  })
  const step = new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      attempt(done, () => rows.take(chunk, writeGroup))
    },
    flush(done: TransformCallback) {
      attempt(done, () => {
        rows.end()
        if (rows.count > 0) writeGroup()
        writer.finish()
        hand()
      })
    },
  })

  function writeGroup(): void {
    const columnData = names.map((name, index) => ({ name, data: rows.columns[index] ?? [] }))
    writer.write({ columnData, rowGroupSize: rows.count })
    onRows(rows.count)
    rows.clear()
    hand()
  }

  /** Hands on what was encoded, and begins again at the start of the buffer. */
  function hand(): void {
    step.push(Buffer.from(out.getBytes()))
    ;(out as unknown as { index: number }).index = 0
  }

  return step
}

function attempt(done: TransformCallback, work: () => void): void {
  try {
    work()
  } catch (error) {
    done(error as Error)
    return
  }
  done()
}
