import { PassThrough, type Transform } from 'node:stream'
import { countingStream } from './counting.ts'
import { type Form, preambleOf } from './forms.ts'
import { lineStream } from './lines.ts'
import { parquetStream } from './parquet.ts'
import type { Table } from './table.ts'

/**
 * What the rows of a table's COPY go through to be what a form asks for; nothing, where Postgres writes it itself.
 * `onRows` is told of rows as they pass.
 */
export function stepsOf(
  { columns }: Pick<Table, 'columns'>,
  form: Form,
  onRows?: (count: number) => void,
): Transform[] {
  if (form.format === 'parquet') return [parquetStream(columns, onRows)]
  if (form.format === 'ndjson') return [lineStream(columns, onRows)]
  const preamble = preambleOf(form)
  return [...(onRows ? [countingStream(onRows)] : []), ...(preamble ? [after(preamble)] : [])]
}

/** A step that begins with these bytes. */
function after(preamble: Buffer): Transform {
  const step = new PassThrough()
  step.write(preamble)
  return step
}
