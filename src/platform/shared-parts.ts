type Json = Record<string, unknown>

/** A part of the document: where it stands, and the name that it would have as a component. */
interface Place {
  holder: Json
  key: string
  name: string
}

/** Makes a component of the commonest form of each name, where several places have it, and refers to it from there. */
function share(kind: string, places: readonly Place[]): Json {
  const components: Json = {}
  for (const [name, alike] of Map.groupBy(places, (place) => place.name)) {
    const forms = [...Map.groupBy(alike, ({ holder, key }) => JSON.stringify(holder[key])).entries()]
    const [form, uses] = forms.reduce((most, other) => (other[1].length > most[1].length ? other : most))
    if (uses.length < 2) continue
    components[name] = JSON.parse(form)
    for (const { holder, key } of uses) holder[key] = { $ref: `#/components/${kind}/${name}` }
  }
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const placesIn = (part: object | undefined, nameOf: (key: string, value: Json) => string | undefined): Place[] =>
  Object.entries(part ?? {}).flatMap(([key, value]) => {
    const name = nameOf(key, value)
    return name === undefined ? [] : [{ holder: part as Json, key, name }]
  })

const pascal = (name: string): string => name.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase())

/** Says once, as components, what many operations say alike: parameters, header fields of answers, refusals. */
export function shareParts(document: Json): void {
  const paths = Object.values(document['paths'] as Record<string, Record<string, Json>>)
  const operations = paths.flatMap((path) => Object.values(path))
  const answers = operations.map(({ responses }) => responses as Record<string, Json>)
  const parameters = operations.flatMap((operation) =>
    placesIn(operation['parameters'] as Json[] | undefined, (_, { name }) => String(name)),
  )
  const headers = answers.flatMap((responses) =>
    Object.values(responses).flatMap((answer) => placesIn(answer['headers'] as Json | undefined, (name) => name)),
  )
  const refusals = answers.flatMap((responses) =>
    placesIn(responses, (status, { description }) => {
      const codes = String(description).matchAll(/`(\w+)`:/g)
      return Number(status) < 400 ? undefined : [...codes].map(([, code]) => pascal(code ?? '')).join('')
    }),
  )
  Object.assign(document['components'] as Json, {
    parameters: share('parameters', parameters),
    // Before the refusals, whose form they are a part of.
    headers: share('headers', headers),
    responses: share('responses', refusals),
  })
}
