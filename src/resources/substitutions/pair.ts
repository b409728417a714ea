import { decidersOf, type Held } from '../commitments/commands.ts'

/** The two commitments of a substitution, held. */
export interface Pair {
  replaced: Held
  by: Held
}

export const whoMay = (who: Parameters<typeof decidersOf>[0], { commitment, partnership }: Held) =>
  decidersOf(who, commitment, partnership.parties)

interface Loading<T> {
  id: string
  load(id: string): Promise<T>
}

/** Both are held in the order of their ids, whoever asks, so that two who need both do not wait for each other. */
export async function inOrder<T>(a: Loading<T>, b: Loading<T>): Promise<[T, T]> {
  if (a.id < b.id) {
    const first = await a.load(a.id)
    return [first, await b.load(b.id)]
  }
  const first = await b.load(b.id)
  return [await a.load(a.id), first]
}
