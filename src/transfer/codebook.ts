import type { TObject } from 'typebox'
import { tables } from './catalogue.ts'
import { isDated } from './dated.ts'
import { columnsTable } from './describe.ts'
import { historyOf } from './history.ts'
import type { Table } from './table.ts'

const introduction = `# Codebook

<!-- Written by \`npm run openapi\` from the definitions of the tables. Do not edit. -->

Every table that can be exported, with every column: what it means, in which unit, whether it may be missing, and which codes
it may hold. How to fetch and read them is in [analysts.md](analysts.md). New columns are added at the end, new codes may come:
read columns by name, and expect codes that you do not know.

| type | CSV | NDJSON | Parquet |
|---|---|---|---|
| \`uuid\` | text | a string | UUID |
| \`text\`, \`code\` | text | a string | STRING |
| \`integer\` | digits | a number | INT32, or INT64 |
| \`decimal\` | digits, exact | a string, exact | DECIMAL, six digits behind the point |
| \`boolean\` | \`true\` or \`false\` | \`true\` or \`false\` | BOOLEAN |
| \`date\` | \`2026-03-01\` | a string | DATE |
| \`instant\` | \`2026-03-01T12:00:00.5+00:00\` | a string | TIMESTAMP, UTC, microseconds |
| \`json\` | the JSON text | the value itself | STRING, the JSON text |

What is missing is nothing at all between two commas in CSV, where an empty text is \`""\`; in NDJSON and Parquet it is null.
`

/** The codebook: every table and every column, as a page in Markdown. */
export function codebook(): string {
  const index = tables.map(({ name, grain }) => `- [${name}](#${name}): one row for each ${grain}`).join('\n')
  return [introduction, index, '', ...tables.map(chapter)].join('\n')
}

/** Whether it can be told as of a day. */
function asOf(name: string): string {
  const history = historyOf(name)
  if (!isDated(history)) return `As of a day: no. They ${history.why}.`
  const { undated, about } = history
  const now = undated.map((column) => `\`${column}\``).join(', ')
  return ['As of a day: yes.', about, now && `As they are now: ${now}.`].filter(Boolean).join(' ')
}

function chapter(table: Table): string {
  const { name, grain, notes, key, query } = table
  const filters = Object.keys((query as TObject).properties).map((filter) => `\`${filter}\``)
  return `## ${name}

One row for each ${grain}. ${notes}

Key: ${key.map((column) => `\`${column}\``).join(', ')}.${filters.length > 0 ? ` Filters: ${filters.join(', ')}.` : ''}

${asOf(name)}

${columnsTable(table)}
`
}
