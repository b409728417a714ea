import { AsyncLocalStorage, type AsyncResource, executionAsyncResource } from 'node:async_hooks'

// What tap's async-hook-domain imports as `async_hooks` in a process that runs test files. It asks, of an error that
// nobody caught, in which test it arose. The hooks that would tell it follow every promise and every handle: 4 % of the
// processor time of a run by themselves, and what is collected after them. A context that flows by itself says the same.

type Wrap = AsyncResource & { runInAsyncScope: AsyncResource['runInAsyncScope'] }
type Init = (id: number, type: string, triggerId: number) => void

const running = new AsyncLocalStorage<number>()
/** The file that runs: an accepted connection, for one, begins in no test, and what it throws is the file's. */
let latest = 0
const wrapped = new WeakSet<object>()
let begun: Init = () => {}

export function createHook({ init }: { init: Init }) {
  begun = init
  return { enable() {}, disable() {} }
}

/** Asked by tap where a test is made, in the scope of the test, and where an error was not caught. */
export function executionAsyncId(): number {
  const parent = running.getStore() ?? latest
  const resource = executionAsyncResource()
  if (resource.constructor?.name !== 'TapWrap' || wrapped.has(resource)) return parent
  wrapped.add(resource)
  const wrap = resource as Wrap
  const id = wrap.asyncId()
  if (running.getStore() === undefined) latest = id
  begun(id, 'TapWrap', parent)
  const enter = wrap.runInAsyncScope
  wrap.runInAsyncScope = (work, self, ...given) =>
    enter.call(wrap, () => running.run(id, () => Reflect.apply(work, self, given))) as never
  return id
}
