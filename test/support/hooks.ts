import { registerHooks } from 'node:module'

// Loaded before anything else in a process that runs test files.

const tapOfFile = new URL('tap-of-file.ts', import.meta.url).href
const domainHooks = new URL('domain-hooks.ts', import.meta.url).href

registerHooks({
  resolve(specifier, { parentURL = '', ...context }, next) {
    if (specifier === 'tap' && parentURL.endsWith('.test.ts')) return next(tapOfFile, { ...context, parentURL })
    if (specifier === 'async_hooks' && parentURL.includes('/async-hook-domain/'))
      return next(domainHooks, { ...context, parentURL })
    return next(specifier, { ...context, parentURL })
  },
})
