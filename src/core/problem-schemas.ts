import { type TSchema, Type } from 'typebox'
import { faultCodes } from './fault-codes.ts'
import { problems } from './problem.ts'
import { nullable, openCodes, ref, uuid } from './schemas.ts'

/** What is answered where something was refused. */

export const FaultCode = openCodes(Object.keys(faultCodes), {
  $id: 'FaultCode',
  description:
    'What is wrong with a part of the input. `x-extensible-enum` lists the codes that there are; more may come.',
  'x-enum-descriptions': Object.values(faultCodes),
  examples: ['required'],
})

export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: 'The address of a page that explains this kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, and how to mend it' }),
    instance: Type.String({ description: 'The request id: name it when you ask us for help' }),
    code: openCodes(Object.keys(problems), {
      description: 'Stable: the thing to branch on. `x-extensible-enum` lists those that there are; more may come.',
      examples: ['invalid_request'],
    }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON Pointer into the body, ?name of a parameter, or a header name' }),
          code: ref(FaultCode),
          detail: Type.String(),
        }),
        { description: 'Every fault of the input at once' },
      ),
    ),
    scope: Type.Optional(Type.String({ description: 'The scope that is missing' })),
    from: Type.Optional(Type.String({ description: 'The state that the record is in' })),
    to: Type.Optional(Type.String({ description: 'The state that was asked for' })),
    allowed: Type.Optional(Type.Array(Type.String(), { description: 'The states that it may go to now' })),
    partnership_status: Type.Optional(Type.String({ description: 'The state of its partnership, which forbids it' })),
    organisation_status: Type.Optional(Type.String({ description: 'The state of its organisation, which forbids it' })),
    may_decide: Type.Optional(Type.Array(uuid(), { description: 'The parties of which one has to decide it' })),
    current_etag: Type.Optional(Type.String({ description: 'The ETag of the record as it is now', examples: ['"4"'] })),
    merged_into_id: Type.Optional(uuid({ description: 'The record that it was merged into: write to that one' })),
    conflicts: Type.Optional(
      Type.Array(Type.Object({ code: Type.String(), detail: Type.String(), partnership_ids: Type.Array(uuid()) }), {
        description: 'What stands in the way of a merge, as its preview shows it',
      }),
    ),
    dependants: Type.Optional(Type.Array(Type.String(), { description: 'The kinds of records that depend on it' })),
    open_commitments: Type.Optional(
      Type.Array(Type.Object({ id: uuid(), title: Type.String(), status: Type.String() }), {
        description: 'The commitments of the partnership that are still to be brought to an end',
      }),
    ),
    reversal_of: Type.Optional(nullable(uuid({ description: 'The entry that this one takes back' }))),
    reversed_by_id: Type.Optional(nullable(uuid({ description: 'The entry that takes this one back' }))),
    location: Type.Optional(Type.String({ description: 'The address of what the first such request made' })),
    oldest_after: Type.Optional(Type.Integer({ description: 'The oldest position that the feed can go on from' })),
    latest: Type.Optional(Type.Integer({ description: 'The last sequence of the feed' })),
  },
  { $id: 'Problem', description: 'An error (RFC 9457). Problem kinds may carry further members.' },
)

export const problemSchemas: readonly TSchema[] = [FaultCode, ProblemDocument]
