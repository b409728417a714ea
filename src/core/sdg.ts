/**
 * The 169 targets of the Sustainable Development Goals (UN resolution 70/1): for each goal how many targets are
 * numbered, and up to which letter its means of implementation go.
 */
const goals: readonly (readonly [numbered: number, lettered: number])[] = [
  [5, 2],
  [5, 3],
  [9, 4],
  [7, 3],
  [6, 3],
  [6, 2],
  [3, 2],
  [10, 2],
  [5, 3],
  [7, 3],
  [7, 3],
  [8, 3],
  [3, 2],
  [7, 3],
  [9, 3],
  [10, 2],
  [19, 0],
]

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)

/** Every target by its code, such as `1.a` or `17.19`. */
export const sdgTargets: ReadonlySet<string> = new Set(
  goals.flatMap(([numbered, lettered], at) => [
    ...upTo(numbered).map((target) => `${at + 1}.${target}`),
    ...upTo(lettered).map((target) => `${at + 1}.${String.fromCharCode(96 + target)}`),
  ]),
)
