import { PassThrough, type Transform } from 'node:stream'
import { type Form, preambleOf } from './forms.ts'
import { parquetStream } from './parquet.ts'
import type { Table } from './table.ts'

/** What the rows of a table's COPY go through to be what a form asks for; nothing, where Postgres writes it itself. */
export function stepsOf({ columns }: Table, form: Form): Transform[] {
  if (form.format === 'parquet') return [parquetStream(columns)]
  const preamble = preambleOf(form)
  return preamble ? [after(preamble)] : []
}

/** A step that begins with these bytes. */
function after(preamble: Buffer): Transform {
  const step = new PassThrough()
  step.write(preamble)
  return step
}
