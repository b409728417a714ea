import { type TSchema, Type } from 'typebox'

// What the contract says of the files that are imported, by their media type.

const rows = [
  {
    type: 'organisation',
    external_refs: [{ system: 'crm', id: '1' }],
    name: 'Voorbeeld Bank NV',
    sector: 'company',
  },
  {
    type: 'organisation',
    external_refs: [{ system: 'crm', id: '2' }],
    name: 'Stichting Voorbeeld',
    sector: 'non_profit',
  },
]

/** As binary: generated clients send it as it is, and do not write it as a JSON text. */
const file = (description: string, example: string) =>
  Type.String({ format: 'binary', description, examples: [example] })

const ndjson = file('One JSON object on each line', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
const csv = file(
  'A header line, then one line for each row',
  [
    'type,external_refs.0.system,external_refs.0.id,name,sector\n',
    ...rows.map(({ type, external_refs, name, sector }) => {
      const [ref] = external_refs
      return `${[type, ref?.system, ref?.id, name, sector].join(',')}\n`
    }),
  ].join(''),
)

const grants = Type.Object(
  {
    grants: Type.Array(Type.Object({}, { additionalProperties: true }), {
      description: 'Grants in the 360Giving Data Standard (JSON)',
    }),
  },
  {
    additionalProperties: true,
    examples: [
      {
        grants: [
          {
            id: '360G-example-1',
            title: 'Swimming lessons for a hundred children',
            currency: 'GBP',
            amountAwarded: 15000,
            awardDate: '2026-03-01',
            plannedDates: [{ startDate: '2026-04-01', endDate: '2027-03-31' }],
            fundingOrganization: [{ id: 'GB-CHC-000001', name: 'Example Foundation' }],
            recipientOrganization: [{ id: 'GB-CHC-000002', name: 'Example Swimming Club' }],
          },
        ],
      },
    ],
  },
)

export const importFiles = {
  'application/x-ndjson': ndjson,
  'application/jsonl': ndjson,
  'text/csv': csv,
  'application/json': grants,
} as const satisfies Record<string, TSchema>
