import { partnerFields } from './fields.ts'
import { partnerOperations } from './operations.ts'

interface Operation {
  operationId: string
  tags: readonly string[]
}

/** What is needed of the contract. */
export interface Contract {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const introduction = `# What is open to partners

<!-- Written by \`npm run openapi\` from src/platform/partners. Do not edit. -->

What a key of a partner may use, where it has the scope that the contract names, and what it is shown of each record. How
portals work with it is in [integrating.md](integrating.md#portals-and-partners).

## Operations

All others are refused with 403. Of the members that stand behind a write a partner gives one at least, and each that it gives
is a party of its own, or its organisation.
`

/** What partners may use and see, as a page in Markdown. */
export function partnersPage({ paths }: Contract): string {
  const open = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId }]) => operationId in partnerOperations)
      .map(([method, { operationId, tags }]) => ({ tag: String(tags[0]), line: lineOf(method, path, operationId) })),
  )
  const groups = [...Map.groupBy(open, ({ tag }) => tag)].map(
    ([tag, lines]) => `**${tag}**\n\n${lines.map(({ line }) => line).join('\n')}\n`,
  )
  const hidden = Object.entries(partnerFields).flatMap(([name, { hidden: members }]) =>
    members ? [`- ${name}: ${members.split(' ').map(quoted).join(', ')}`] : [],
  )
  return [
    introduction,
    groups.join('\n'),
    '## Not shown\n',
    'Null or empty for a partner; all else is shown.\n',
    ...hidden,
    '',
  ].join('\n')
}

const quoted = (text: string): string => `\`${text}\``

function lineOf(method: string, path: string, operationId: string): string {
  const { acts = [], isForPresent } = partnerOperations[operationId] ?? {}
  const named = acts.length > 0 ? `: ${acts.map(quoted).join(', ')}` : ''
  return `- \`${method.toUpperCase()} ${path}\`${named}${isForPresent ? ' (not of a partnership that it has left)' : ''}`
}
