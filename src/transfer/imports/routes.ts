import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../../core/problem.ts'
import { codes, ref, strictObject } from '../../core/schemas.ts'
import type { Tx } from '../../db/database.ts'
import { callerOf, mayAlso } from '../../platform/auth.ts'
import { children } from '../../platform/children.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { readById } from '../../platform/items.ts'
import { gives, makes, operation } from '../../platform/operation.ts'
import { type Outcome, readOne, sendCreated, sendOutcome } from '../../platform/resource.ts'
import { loadForUpdate } from '../../platform/writes.ts'
import { forImports, inSmallHeap } from '../heap.ts'
import { importFiles } from './files.ts'
import { scopeOf } from './kinds.ts'
import { enqueueImport } from './queue.ts'
import { Import, type ImportFormat, type ImportType, importRows, importSchemas, importTypes } from './schemas.ts'
import { importBegin } from './staging.ts'
import { importSet, personsForget } from './store.ts'
import { discard, stage } from './upload.ts'
import { importList, importResource, importRowList } from './view.ts'

const tag = 'Imports'
const scope = 'imports:run'

const formats: Readonly<Record<string, ImportFormat>> = {
  'application/x-ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
  'application/json': '360giving',
} satisfies Record<keyof typeof importFiles, ImportFormat>

const description = `The body is the file, streamed, of any size; its media type says what it is:

- \`application/x-ndjson\` (or \`application/jsonl\`): one JSON object on each line, with the members of ${Object.keys(
  importRows,
)
  .map((type) => `\`${type}\``)
  .join(', ')} rows (components \`OrganisationRow\` and so on): those that the upsert of the kind takes.
- \`text/csv\`: a header line that names the same members, with dots for what lies within (\`measure.amount\`,
  \`external_refs.0.id\`); a column that ends in \`:json\` holds JSON; an empty cell is left out.
- \`application/json\`: a file in the 360Giving Data Standard.

Each row says its \`type\`, unless \`type=\` says it for all, and is found by any of its \`external_refs\`: created,
replaced as \`PUT …/by-ref\` does it, or left as it is; \`ambiguous\` where they are of several records. A row has 1,048,576
bytes at most. Rows may name each other by those references, in any order. Kinds
are worked through in the order above. A row that is refused is told of, with every fault, and the others are taken;
with \`all_or_nothing=true\` then none is (up to 100,000 rows), and with \`dry_run=true\` nothing stays in any case.

The rows are worked through in the background: read the import to see how far it is, and its rows to see what became of
each. A row needs the write scope of its kind too. What was sent is kept for seven days, of contacts only until it was
worked through; then the import itself is removed.`

/** Files of rows, worked through in the background by the same rules and commands as single requests. */
export const imports: FastifyPluginAsyncTypebox<SliceOptions> = async (app, slice) => {
  for (const schema of importSchemas) app.addSchema(schema)
  app.addSchema(importList.page)
  app.addSchema(importRowList.page)
  app.get(
    '/imports',
    operation({
      id: 'list_imports',
      scope,
      tag,
      summary: 'List imports',
      query: importList.query,
      answers: {
        200: { description: 'A page', schema: ref(importList.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => importList.send(slice.database, request, reply),
  )
  readById(app, slice, {
    resource: importResource,
    tag,
    one: 'import',
    scopes: { read: scope, write: scope },
    wire: Import,
  })
  children(app, slice, {
    parent: importResource,
    path: 'rows',
    id: 'list_import_rows',
    scope,
    tag,
    summary: 'List what became of the rows of an import',
    list: importRowList,
  })
  app.post(
    '/imports/:id/cancel',
    operation({
      id: 'cancel_import',
      scope,
      tag,
      summary: 'Cancel an import that waits or runs',
      description:
        'It ends after the rows at hand; what was written before stays. Needs no ETag, for the version grows with each ' +
        'batch. One that was cancelled already stays so.',
      params: idParams,
      answers: { 200: gives(ref(Import), 'The import, cancelled or about to be') },
      refusals: ['not_found', 'transition_not_allowed'],
    }),
    async (request, reply) => {
      const outcome = await slice.database.write(callerOf(request, slice.clock), (tx) => cancel(tx, request.params.id))
      return sendOutcome(reply, outcome)
    },
  )
  await app.register(uploads, slice)
}

const uploads: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database, clock }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(Object.keys(formats), (_request, payload, done) => done(null, payload))

  app.post(
    '/imports',
    operation({
      id: 'create_import',
      scope,
      tag,
      summary: 'Import a file of rows',
      description,
      query: strictObject({
        type: Type.Optional(
          codes(importTypes, { description: 'The kind of every row; without it each row says its own' }),
        ),
        dry_run: Type.Boolean({ default: false, description: 'Show what would become of each row, and keep nothing' }),
        all_or_nothing: Type.Boolean({ default: false, description: 'Take all rows, or none where one is refused' }),
      }),
      streamedBody: importFiles,
      answers: { 201: makes(ref(Import), 'The import, whose rows wait to be worked through') },
      refusals: ['rule_violated', 'state_forbids'],
    }),
    async (request, reply) => {
      const { type, dry_run, all_or_nothing } = request.query
      if (type !== undefined && !mayAlso(request, scopeOf(type))) {
        throw new Problem('forbidden', `Rows of kind ${type} need the scope ${scopeOf(type)}.`, {
          members: { scope: scopeOf(type) },
        })
      }
      const format = formats[request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '']
      if (!format || !(request.body instanceof Readable)) throw new Problem('invalid_request', 'There is no file.')
      if (format === '360giving' && type !== undefined) {
        throw new Problem('invalid_request', 'A 360Giving file holds rows of several kinds: leave type out.')
      }
      const caller = callerOf(request, clock)
      const file = request.body
      const options = {
        format,
        type: (type ?? null) as ImportType | null,
        dryRun: dry_run,
        allOrNothing: all_or_nothing,
      }
      const { id, rows, facts, digest } = await inSmallHeap(forImports, () =>
        stage(database, caller, { ...options, file }),
      )
      try {
        request.guard?.addContent(digest)
        const outcome = await database.write(caller, async (tx) => {
          await importBegin(tx, id, rows, facts)
          await enqueueImport(tx, id)
          return asItStands(tx, id)
        })
        return sendCreated(reply, importResource.path, outcome)
      } catch (error) {
        await discard(database, caller, id)
        throw error
      }
    },
  )
}

/** An import makes no events: whoever follows it reads it. */
async function asItStands(tx: Tx, id: string): Promise<Outcome> {
  return { id, ...(await readOne(tx, importResource, id)) }
}

async function cancel(tx: Tx, id: string): Promise<Outcome> {
  const { status } = await loadForUpdate(tx, importResource, id)
  if (status === 'queued') {
    await importSet(tx, id, { status: 'cancelled', finished_at: tx.now })
    await personsForget(tx, id)
  } else if (status === 'running') {
    await importSet(tx, id, { status: 'cancelling' })
    // Its job may wait to be tried again.
    await enqueueImport(tx, id)
  } else if (status !== 'cancelling' && status !== 'cancelled') {
    const detail = `The import is ${status}: there is nothing to cancel any more.`
    throw new Problem('transition_not_allowed', detail, { members: { from: status, to: 'cancelled', allowed: [] } })
  }
  return asItStands(tx, id)
}
