// The arrows of the source tree: core <- db <- platform <- resources <- transfer <- app <- main, cli.
// Beside them: clients, programs that speak to the service over its public interface; they know the core, cli knows them.
const layers = ['core', 'db', 'platform', 'resources', 'transfer', 'app', '(main|cli)']
const place = (layer) => `^src/${layer}(/|[.]ts$)`

const oneWay = layers.slice(0, -1).map((layer, index) => ({
  name: `nothing-above-${layer}`,
  comment: `src/${layer} knows only itself and what lies below it: ${layers.slice(0, index).join(', ') || 'nothing'}.`,
  severity: 'error',
  from: { path: place(layer) },
  to: {
    path: layers
      .slice(index + 1)
      .map(place)
      .join('|'),
  },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'pure-core',
      comment: 'The core has no I/O, no Fastify and no Kysely.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: {
        path: [
          '(^|/)node_modules/(@fastify|fastify|fastify-plugin|kysely|pg|pg-copy-streams|pino)/',
          '^(node:)?(fs|net|http|http2|https|tls|dns|child_process|cluster|worker_threads|process)(/|$)',
        ],
      },
    },
    {
      name: 'config-is-passed-in',
      comment: 'Settings are handed down by main and cli; below them at most their type is known.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main|cli|config)[.]ts$' },
      to: { path: '^src/config[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'clients-are-outside',
      comment: 'A client knows the service by its public interface, and of the code the core alone.',
      severity: 'error',
      from: { path: '^src/clients/' },
      to: { path: '^src/', pathNot: '^src/(clients|core)/' },
    },
    {
      name: 'clients-are-programs',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(clients/|cli[.]ts$)' },
      to: { path: '^src/clients/' },
    },
    {
      name: 'slices-meet-in-schemas-reads-and-commands',
      comment:
        'A slice uses another only through its schemas, its reads and, where one step brings about another, its commands.',
      severity: 'error',
      from: { path: '^src/resources/([^/]+)/' },
      to: {
        path: '^src/resources/[^/]+/',
        pathNot: ['^src/resources/$1/', '^src/resources/[^/]+/(schemas|read|commands)[.]ts$'],
      },
    },
    {
      name: 'no-test-in-the-service',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-development-packages-in-the-service',
      comment: 'The image holds only dependencies.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^(src|test)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^(src|test)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-files',
      comment: 'A file that neither the service nor its commands use goes; use by a test alone does not count.',
      severity: 'error',
      from: { path: '^src/(main|cli)[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(main|cli)[.]ts$', reachable: false },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^test/', pathNot: '[.]test[.]ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
