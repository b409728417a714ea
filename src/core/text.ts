// Letters that Unicode does not decompose into a base letter and a mark, as they stand in European names.
const undecomposed: Record<string, string> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
  þ: 'th',
  ð: 'd',
}

/** Text as names are searched and sorted by: without case, accents and doubled spaces. */
export function searchable(...texts: readonly (string | null | undefined)[]): string {
  return texts
    .filter((text) => text != null)
    .join(' ')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[øłđßæœıþð]/g, (letter) => undecomposed[letter] ?? letter)
    .replace(/\s+/g, ' ')
    .trim()
}

/** A pattern for `LIKE` that finds this text anywhere, its wildcards taken literally. */
export const containing = (text: string): string => `%${searchable(text).replace(/[\\%_]/g, '\\$&')}%`
