import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Json, Service } from './harness.ts'

// Pages as people see them, in the Chromium of this machine.

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))

/** Why nothing can be looked at, or false. */
export const noBrowser = executablePath ? false : 'there is no Chromium on this machine'

export interface Looking {
  /** Where the page of a token stands. */
  address(token: string, query?: string): string
  /** A browser window of its own. */
  open<T>(options: BrowserContextOptions, work: (page: Page) => Promise<T>): Promise<T>
  /** What axe finds wrong with a page. */
  violations(page: Page): Promise<string[]>
  /** Keeps a picture, where the environment says where to. */
  shoot(page: Page, name: string): Promise<void>
}

/** Lets the service listen, and a browser look at it. */
export async function lookAt(t: Test, { app }: Service): Promise<Looking> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  return {
    address: (token, query = '') => `http://127.0.0.1:${port}/answer/${token}${query}`,
    async open(options, work) {
      const context = await browser.newContext(options)
      try {
        return await work(await context.newPage())
      } finally {
        await context.close()
      }
    },
    async violations(page) {
      await page.evaluate(axe)
      const found = await page.evaluate('axe.run(document)')
      return (found as Json).violations.map(({ id, nodes }: Json) => `${id}: ${nodes[0].html}`)
    },
    async shoot(page, name) {
      const folder = process.env['SCREENSHOTS']
      if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
    },
  }
}
