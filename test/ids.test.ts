import t from 'tap'
import { version } from 'uuid'
import { isUuid, newId } from '../src/core/ids.ts'

t.test('ids of one process grow, however many there are within a millisecond, and none comes twice', async (t) => {
  const ids = Array.from({ length: 50_000 }, newId)
  t.ok(ids.every((id, at) => isUuid(id) && version(id) === 7 && (at === 0 || id > (ids[at - 1] as string))))
  const [first = '', last = ''] = [ids[0], ids.at(-1)]
  const millis = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  t.ok(millis(first) <= millis(last) && Math.abs(Date.now() - millis(last)) < 10_000, 'and they tell the time')
  t.equal(new Set(ids.map((id) => id.slice(-12))).size, ids.length, 'what chance has given differs in each')
})
