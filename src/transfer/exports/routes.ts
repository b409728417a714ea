import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ref, strictObject, uuid } from '../../core/schemas.ts'
import { callerOf } from '../../platform/auth.ts'
import { idParams, type SliceOptions } from '../../platform/collection.ts'
import { gives, makes, noContent, operation } from '../../platform/operation.ts'
import { sendCreated, sendOne, sendOutcome } from '../../platform/resource.ts'
import { cancelExport, createExport } from './commands.ts'
import { sendFile } from './download.ts'
import { Export, ExportCreate, exportSchemas } from './schemas.ts'
import { exportList, exportResource } from './view.ts'

const tag = 'Exports'
const scope = 'exports:run'

const description = `A job writes the tables to files, all from one snapshot, so that every key among them resolves. Read
the export again and again to see how far it is; when it has \`succeeded\` its files are listed, and kept until
\`expires_at\`. An export that fails or is cancelled has no files. \`datapackage.json\` says what the files hold: columns,
keys, rows, SHA-256, and the \`sequence\` from which to go on.

With \`changed_after_sequence\` (\`sequence\` of the export before) only what changed is written. For each table take away
the rows whose key stands in \`{table}_changes\`, then add those of \`{table}\`: the result is the table as it is now. A
position older than the feed of events keeps is refused with 410.

With \`as_of\` the tables are as they stood at the end of that day, by the days that their facts carry: the state that
the history gives, what was delivered, confirmed and taken back by then, plans and terms of the day. They say what the
measures of that day say. Tables that do not keep what they said before are refused, each with the reason; columns that
carry no day, such as \`metadata\`, are as they are now, and are named as \`undated\` in the manifest. No foreign keys are
promised then, and filters that speak of the present are refused.`

/** Exports as files: ordered, watched, cancelled, downloaded. */
export const exportOrders: FastifyPluginAsyncTypebox<SliceOptions> = async (app, { database, clock }) => {
  for (const schema of exportSchemas) app.addSchema(schema)
  app.addSchema(exportList.page)

  app.get(
    '/exports',
    operation({
      id: 'list_exports',
      scope,
      tag,
      summary: 'List exports',
      query: exportList.query,
      answers: {
        200: { description: 'A page', schema: ref(exportList.page), headers: { Link: 'The next page, as rel="next"' } },
      },
    }),
    (request, reply) => exportList.send(database, request, reply),
  )

  app.post(
    '/exports',
    operation({
      id: 'create_export',
      scope,
      tag,
      summary: 'Order an export',
      description,
      body: ref(ExportCreate),
      answers: { 201: makes(ref(Export), 'The order; a job works on it') },
      refusals: ['rule_violated', 'state_forbids', 'gone'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => createExport(tx, request.body))
      return sendCreated(reply, 'exports', outcome)
    },
  )

  app.get(
    '/exports/:id',
    operation({
      id: 'get_export',
      scope,
      tag,
      summary: 'Read an export: how far it is, and its files',
      params: idParams,
      answers: { 200: gives(ref(Export), 'The export'), 304: noContent('The caller has this version already') },
      refusals: ['not_found'],
    }),
    (request, reply) => sendOne(database, exportResource, request.params.id, request, reply),
  )

  app.post(
    '/exports/:id/cancel',
    operation({
      id: 'cancel_export',
      scope,
      tag,
      summary: 'Cancel an export that waits or runs',
      description: 'Needs no ETag, for the version grows with the progress. One that was cancelled already stays so.',
      params: idParams,
      answers: { 200: gives(ref(Export), 'The export, cancelled') },
      refusals: ['not_found', 'transition_not_allowed'],
    }),
    async (request, reply) => {
      const outcome = await database.write(callerOf(request, clock), (tx) => cancelExport(tx, request.params.id))
      return sendOutcome(reply, outcome)
    },
  )

  const headers = {
    ETag: 'The SHA-256 of the file, for If-None-Match and If-Range',
    'Accept-Ranges': '`bytes`: a download that broke goes on from where it was',
    'Content-Disposition': 'The name of the file',
  }
  const file = Type.String({ format: 'binary', contentMediaType: 'application/octet-stream' })
  app.get(
    '/exports/:id/files/:name',
    operation({
      id: 'get_export_file',
      scope,
      tag,
      summary: 'Download a file of an export',
      description: 'With `Range: bytes=…` a part of it (206).',
      headers: {
        Range: '`bytes=…`: the part that is asked for; the whole where it asks for several',
        'If-Range': 'The ETag of the file whose other parts you have: the whole where it is not that any more',
      },
      params: strictObject({
        id: uuid(),
        name: Type.String({ minLength: 1, maxLength: 100, pattern: '^[a-z0-9_.]+$' }),
      }),
      answers: {
        200: { description: 'The file', schema: file, mediaType: 'application/octet-stream', headers },
        206: {
          description: 'A part of the file',
          schema: file,
          mediaType: 'application/octet-stream',
          headers: { ...headers, 'Content-Range': 'Which part, of how many bytes' },
        },
        304: noContent('The caller has this file already'),
      },
      refusals: ['not_found', 'state_forbids', 'gone', 'range_not_satisfiable'],
    }),
    (request, reply) => sendFile(database, request.params, request, reply),
  )
}
