import { type Element, ElementCutter } from '../core/json-elements.ts'

/**
 * The elements of the array that is the member `name` of a JSON object, cut out without parsing them.
 * @throws Error where there is no such array, or it does not end
 */
export function elementsOf(json: string, name: string): Element[] {
  const cutter = new ElementCutter(name)
  const elements = [...cutter.push(json)]
  cutter.end()
  return elements
}
