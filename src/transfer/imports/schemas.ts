import { type Static, type TSchema, Type } from 'typebox'
import { faultCodes } from '../../core/fault-codes.ts'
import { problems } from '../../core/problem.ts'
import {
  codes,
  ExternalRef,
  instant,
  nullable,
  openCodes,
  Ref,
  recordHead,
  ref,
  strictObject,
  uuid,
} from '../../core/schemas.ts'
import { CommitmentWrite } from '../../resources/commitments/schemas.ts'
import { ContactWrite } from '../../resources/contacts/schemas.ts'
import { FulfilmentWrite } from '../../resources/fulfilments/schemas.ts'
import { OrganisationWrite } from '../../resources/organisations/schemas.ts'
import { PartnershipWrite } from '../../resources/partnerships/schemas.ts'

/** The kinds of rows, in the order in which they are worked through: each names only those before it, and its own. */
export const importTypes = ['organisation', 'contact', 'partnership', 'commitment', 'fulfilment'] as const
export type ImportType = (typeof importTypes)[number]

export const importFormats = ['ndjson', 'csv', '360giving'] as const
export type ImportFormat = (typeof importFormats)[number]

export const importStatuses = ['queued', 'running', 'cancelling', 'cancelled', 'finished', 'failed'] as const
export const outcomes = ['created', 'updated', 'unchanged', 'ambiguous', 'invalid', 'waiting'] as const
export type RowOutcome = (typeof outcomes)[number]

/** A row is written by its reference: it needs one at least. */
const external_refs = Type.Array(ref(ExternalRef), { minItems: 1, maxItems: 50 })

const row = <T extends typeof OrganisationWrite>(write: T | TSchema, name: string, description: string, more = {}) =>
  strictObject({ ...(write as T).properties, ...more, external_refs }, { $id: name, description })

const named = (name: string) => ({
  [`${name}_id`]: Type.Optional(nullable(uuid())),
  [`${name}_ref`]: Type.Optional(nullable(ref(Ref))),
})

/** What a row of each kind holds, beside its `type`. */
export const importRows: Readonly<Record<ImportType, TSchema>> = {
  organisation: row(OrganisationWrite, 'OrganisationRow', 'An organisation, as its upsert takes it'),
  contact: row(
    ContactWrite,
    'ContactRow',
    'A contact, as its upsert takes it, and its organisation by exactly one of organisation_id and organisation_ref',
    named('organisation'),
  ),
  partnership: row(PartnershipWrite, 'PartnershipRow', 'A partnership, as its upsert takes it'),
  commitment: row(CommitmentWrite, 'CommitmentRow', 'A commitment, as its upsert takes it'),
  fulfilment: row(
    FulfilmentWrite,
    'FulfilmentRow',
    'A delivery, and its commitment by exactly one of commitment_id and commitment_ref. One that is there stays as it is.',
    named('commitment'),
  ),
}

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const Import = Type.Object(
  {
    ...recordHead,
    format: codes(importFormats),
    type: nullable(codes(importTypes, { description: 'The kind of every row; null where each says its own' })),
    dry_run: Type.Boolean({ description: 'Nothing stays of what it writes' }),
    all_or_nothing: Type.Boolean(),
    status: codes(importStatuses),
    failure: nullable(Type.String({ description: 'Why it failed' })),
    rows_read: count('Rows in the file'),
    rows_done: count('Rows of which it is known what became of them'),
    created: count('Records made'),
    updated: count('Records changed'),
    unchanged: count('Rows that say what is there already'),
    ambiguous: count('Rows of which it cannot be told which record they mean'),
    invalid: count('Rows that were refused'),
    waiting: count('Rows that name a record which is not there yet'),
    started_at: nullable(instant()),
    finished_at: nullable(instant()),
  },
  {
    $id: 'Import',
    description: 'A file of rows, and how far it is worked through',
    examples: [
      {
        id: '019a3b5c-7d1e-7f00-8a2b-3c4d5e6f7a8b',
        version: 1,
        created_at: '2026-03-01T12:00:00.123456Z',
        updated_at: '2026-03-01T12:00:00.123456Z',
        format: 'ndjson',
        type: null,
        dry_run: false,
        all_or_nothing: false,
        status: 'queued',
        failure: null,
        rows_read: 2,
        rows_done: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        ambiguous: 0,
        invalid: 0,
        waiting: 0,
        started_at: null,
        finished_at: null,
      },
    ],
  },
)
export type Import = Static<typeof Import>

const RowFault = Type.Object(
  {
    pointer: Type.String({ description: 'JSON Pointer into the row' }),
    code: openCodes([...new Set([...Object.keys(faultCodes), ...Object.keys(problems)])], {
      description: 'A FaultCode; of a row that is refused as a whole, the code of a problem. More may come.',
      examples: ['required'],
    }),
    detail: Type.String(),
  },
  { $id: 'RowFault' },
)

export const ImportRow = Type.Object(
  {
    id: uuid(),
    line: Type.Integer({ minimum: 1, description: 'The line of the file on which the row begins' }),
    type: nullable(codes(importTypes, { description: 'Null where the row does not say one that is known' })),
    outcome: nullable(codes(outcomes, { description: 'Null until the row was worked through' })),
    external_ref: nullable(ref(Ref)),
    resource_id: nullable(uuid({ description: 'The record; of a dry run one that was not kept' })),
    faults: Type.Array(ref(RowFault), { description: 'Every fault of the row' }),
    candidates: Type.Array(uuid(), { description: 'The records that an ambiguous row may mean' }),
    remarks: Type.Array(Type.String(), { description: 'What of the row could not be taken over' }),
  },
  { $id: 'ImportRow', description: 'What became of one row' },
)
export type ImportRow = Static<typeof ImportRow>

export const importSchemas = [Import, RowFault, ImportRow, ...Object.values(importRows)]
