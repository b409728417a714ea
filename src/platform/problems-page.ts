import { faultCodes } from '../core/fault-codes.ts'
import { problems } from '../core/problem.ts'

const introduction = `# Problems and their codes

<!-- Written by \`npm run openapi\` from src/core/problem.ts and src/core/fault-codes.ts. Do not edit. -->

Every error is a problem document (RFC 9457), as [integrating.md](integrating.md#errors) says. Its \`code\` says what kind of
problem it is; each of its \`errors\` has a code of its own, which says what is wrong at \`pointer\`. \`detail\` says more, for people.
Codes are added without notice: take a problem that you do not know for its status, and a fault that you do not know for
\`invalid\`.
`

/** A table whose columns are as wide as their widest cell, as the formatter of this repository has them. */
function table(...rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const rule = widths.map((width) => '-'.repeat(width))
  return [...rows.slice(0, 1), rule, ...rows.slice(1)]
    .map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n')
}

/** Every code of a problem and of a fault, as a page in Markdown. */
export function problemsPage(): string {
  const kinds = Object.entries(problems).map(([code, { status, title }]) => [
    `\`${code}\``,
    String(status),
    `${title}.`,
  ])
  const faults = Object.entries(faultCodes).map(([code, says]) => [`\`${code}\``, says])
  return [
    introduction,
    '## Problems\n',
    `${table(['code', 'status', 'means'], ...kinds)}\n`,
    '## Faults\n',
    'The codes in `errors`, and in the `faults` of the rows of an import, which may have that of a problem too.\n',
    `${table(['code', 'means'], ...faults)}\n`,
  ].join('\n')
}
