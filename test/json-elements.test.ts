import fc from 'fast-check'
import t from 'tap'
import { elementsOf } from '../src/clients/json-elements.ts'
import { ElementCutter } from '../src/core/json-elements.ts'

t.test('elements come as they stand, with the line on which each begins', async (t) => {
  const json = `{
  "license": "CC-BY",
  "grants":
  [ {"id": 1}, {
      "id": 2, "text": "a \\"]\\" and } and , in a string \\\\"
    },
    "plain", 4
  ],
  "more": [5]
}`
  t.strictSame(elementsOf(json, 'grants'), [
    { line: 4, text: '{"id": 1}' },
    { line: 4, text: '{\n      "id": 2, "text": "a \\"]\\" and } and , in a string \\\\"\n    }' },
    { line: 7, text: '"plain"' },
    { line: 7, text: '4' },
  ])
  t.strictSame(elementsOf(json, 'more'), [{ line: 9, text: '5' }])
})

t.test('a malformed element does not take the others with it', async (t) => {
  const elements = elementsOf('{"grants": [\n{"id": 1},\n{"id": wrong, "a": [1, {}]},\n{"id": 3}\n]}', 'grants')
  t.strictSame(
    elements.map(({ line }) => line),
    [2, 3, 4],
  )
  t.throws(() => JSON.parse(elements[1]?.text ?? ''))
  t.strictSame(JSON.parse(elements[2]?.text ?? ''), { id: 3 })
})

t.test('an empty array has no elements; none at all, and one that is cut off, are refused', async (t) => {
  t.strictSame(elementsOf('{"grants": [\n\n]}', 'grants'), [])
  t.throws(() => elementsOf('{"awards": []}', 'grants'), { message: 'There is no array "grants" in the text' })
  for (const text of ['{"grants": [1, 2', '{"grants": [{"a": 1]}', '{"grants": ["a]}'])
    t.throws(() => elementsOf(text, 'grants'), { message: 'The array "grants" does not end: the text is cut off' })
})

t.test('whatever the values and however they are laid out, they are found again', async (t) => {
  const value = fc.oneof(fc.object(), fc.array(fc.string()), fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(0, 2, '\t'), (values, indent) => {
      const elements = elementsOf(JSON.stringify({ grants: values }, null, indent), 'grants')
      t.strictSame(
        elements.map(({ text }) => JSON.stringify(JSON.parse(text))),
        values.map((element) => JSON.stringify(element)),
      )
      // However the text is torn into parts as it arrives.
      const cutter = new ElementCutter('grants')
      const parts = JSON.stringify({ grants: values }, null, indent).match(/[\s\S]{1,3}/g) ?? []
      t.strictSame(
        parts.flatMap((part) => [...cutter.push(part)]),
        elements,
      )
      cutter.end()
    }),
    { numRuns: 100 },
  )
})
