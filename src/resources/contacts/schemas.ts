import { type Static, Type } from 'typebox'
import { patchOf } from '../../core/patch-schemas.ts'
import {
  codes,
  instant,
  language,
  line,
  nullable,
  recordHead,
  recordTail,
  recordTailWrite,
  strictObject,
  uuid,
} from '../../core/schemas.ts'

export const contactFunctions = [
  'alliance_manager',
  'executive_sponsor',
  'operations',
  'communications',
  'finance',
  'other',
] as const

export const Contact = Type.Object(
  {
    ...recordHead,
    organisation_id: uuid(),
    name: nullable(Type.String({ description: 'Null where the person was erased' })),
    email: nullable(Type.String()),
    phone: nullable(Type.String()),
    job_title: nullable(Type.String()),
    function: codes(contactFunctions, { description: 'What the person does for alliances' }),
    language: nullable(Type.String()),
    active: Type.Boolean({ description: 'False for a person who has left' }),
    erased_at: nullable(instant({ description: 'When the person was erased: nothing of them is kept since' })),
    ...recordTail,
  },
  { $id: 'Contact', description: 'A person of an organisation who looks after its alliances' },
)
export type Contact = Static<typeof Contact>

/** The writable members of a contact, complete and in their one spelling. */
export type ContactState = Omit<
  Contact,
  'id' | 'version' | 'created_at' | 'updated_at' | 'organisation_id' | 'name' | 'erased_at'
> & { name: string }

/** What a client may write; what is left out takes its default, or becomes null. */
export const ContactWrite = strictObject(
  {
    name: line(200, { examples: ['Fatima de Vries'] }),
    email: Type.Optional(
      nullable(Type.String({ format: 'email', maxLength: 320, examples: ['f.devries@example.org'] })),
    ),
    phone: Type.Optional(nullable(line(50, { examples: ['+31 20 123 4567'] }))),
    job_title: Type.Optional(nullable(line(200, { examples: ['Partnership manager'] }))),
    function: codes(contactFunctions, { examples: ['alliance_manager'] }),
    language: Type.Optional(nullable(language())),
    active: Type.Optional(Type.Boolean({ default: true })),
    ...recordTailWrite,
  },
  { $id: 'ContactWrite' },
)
export type ContactWrite = Static<typeof ContactWrite>

export const ContactPatch = patchOf(ContactWrite, 'ContactPatch')

export const contactSchemas = [Contact, ContactWrite, ContactPatch]
