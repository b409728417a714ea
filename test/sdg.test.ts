import t from 'tap'
import { sdgTargets } from '../src/core/sdg.ts'

t.test('there are 169 targets, the first and the last of each goal among them and nothing beyond', async (t) => {
  t.equal(sdgTargets.size, 169)
  const ends: [numbered: number, lettered: string][] = [
    [5, 'b'],
    [5, 'c'],
    [9, 'd'],
    [7, 'c'],
    [6, 'c'],
    [6, 'b'],
    [3, 'b'],
    [10, 'b'],
    [5, 'c'],
    [7, 'c'],
    [7, 'c'],
    [8, 'c'],
    [3, 'b'],
    [7, 'c'],
    [9, 'c'],
    [10, 'b'],
  ]
  ends.forEach(([numbered, lettered], at) => {
    const goal = at + 1
    const beyond = String.fromCharCode(lettered.charCodeAt(0) + 1)
    for (const known of [1, numbered, 'a', lettered]) t.ok(sdgTargets.has(`${goal}.${known}`), `${goal}.${known}`)
    for (const none of [0, numbered + 1, beyond]) t.notOk(sdgTargets.has(`${goal}.${none}`), `${goal}.${none}`)
  })
  t.ok(sdgTargets.has('17.19'))
  for (const none of ['17.20', '17.a', '0.1', '18.1']) t.notOk(sdgTargets.has(none), none)
})
