import { v7 } from 'uuid'

/** A new record id: UUID version 7 (RFC 9562), so that ids grow with time. */
export const newId = (): string => v7()

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => uuidForm.test(text)
