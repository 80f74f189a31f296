/**
 * The documented site of a framework that renders pages on a server: installed and built outside of the workspace with the
 * packed packages, served by its own server, opened in Chromium.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { readManifest } from '../../scripts/packages.ts'
import { ServerProcess } from '../e2e/world.ts'
import { blocksOf } from '../samples/documented.ts'
import { Project } from './project.ts'

export interface SiteOptions {
  /** The folder beside this file with the dependencies of the site and its lockfile. */
  readonly name: string
  /** The heading of its samples in docs/frameworks.md. */
  readonly heading: string
  /** The command that builds it. */
  readonly build: readonly [string, ...string[]]
  /** The server that the build writes. */
  readonly server: string
}

/** What the server of a site renders for each status; whitespace does not matter. */
function rendered(status: string | null): string {
  const state = status === null ? '' : `<span slot="before">: ${status}</span>`
  return `Impianto 7${state}`
}

/** The text inside the card in a page, without comments and the spaces around it. */
function cardIn(html: string): string | undefined {
  const [, inside] = /<mqtt-status-card[^>]*>(.*?)<\/mqtt-status-card>/s.exec(html) ?? []
  return inside?.replaceAll(/<!--.*?-->/g, '').trim()
}

class Site {
  readonly url: string
  readonly status: ServerProcess
  readonly browser: Browser
  readonly #database: TestDatabase
  readonly #undo: (() => Promise<unknown>)[]

  private constructor(parts: {
    url: string
    status: ServerProcess
    browser: Browser
    database: TestDatabase
    undo: (() => Promise<unknown>)[]
  }) {
    this.url = parts.url
    this.status = parts.status
    this.browser = parts.browser
    this.#database = parts.database
    this.#undo = parts.undo
  }

  static async open(options: SiteOptions): Promise<Site> {
    const undo: (() => Promise<unknown>)[] = []
    try {
      const database = await createDatabase()
      undo.push(() => database.drop())
      await database.sql`
        insert into connections (id, site_id, name, managed, status)
        values ('plant-7', 's1', 'Impianto 7', false, 'connected')`
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const status = await ServerProcess.start({
        DATABASE_URL: database.url,
        ALLOWED_ORIGINS: url,
        SUPERVISOR: 'off',
      })
      undo.push(() => status.end('SIGTERM'))
      undo.push(await serve(await buildSite(options, status.url), options.server, port))
      await until(async () => (await fetch(url)).ok, { what: options.name, timeoutMs: 60_000 })
      const browser = await launchBrowser()
      undo.push(() => browser.close())
      return new Site({ url, status, browser, database, undo })
    } catch (error) {
      for (const each of undo.toReversed()) await each()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const each of this.#undo.toReversed()) await each()
  }

  async setStatus(status: string): Promise<void> {
    await this.#database.sql`update connections set status = ${status} where id = 'plant-7'`
  }

  async html(): Promise<string> {
    return (await fetch(this.url)).text()
  }

  /** Opens the page; `errors` are those of its console, mismatches of hydration included. */
  async visit(javaScriptEnabled: boolean): Promise<{ page: Page; errors: string[] }> {
    const context = await this.browser.newContext({ javaScriptEnabled, locale: 'en-GB' })
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    page.on('console', (message) => {
      const isOfTheBrowser = message.location().url.endsWith('/favicon.ico')
      if (['error', 'warning'].includes(message.type()) && !isOfTheBrowser)
        errors.push(message.text())
    })
    await page.goto(this.url)
    return { page, errors }
  }
}

/** @returns the folder of the built site */
async function buildSite(options: SiteOptions, statusUrl: string): Promise<string> {
  const { name, heading, build } = options
  const own = new URL(`${name}/`, import.meta.url).pathname
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  const project = await Project.install({
    folder,
    tarballs: inject('tarballs'),
    dependencies: readManifest(own).dependencies ?? {},
    linker: 'isolated',
    lock: readFileSync(join(own, 'pnpm-lock.yaml'), 'utf8'),
  })
  const samples = blocksOf('docs/frameworks.md').filter((block) => block.heading === heading)
  project.write(
    Object.fromEntries(
      samples.map(({ file, text }) => [
        file ?? '',
        text
          .replaceAll('https://status.example.com', statusUrl)
          // The server of this test accepts every page on loopback.
          .replace(' token-src="/mqtt-token"', ''),
      ]),
    ),
  )
  const built = await project.run(...build)
  if (!built.ok) throw new Error(`${name} can not be built:\n${built.output}`)
  return folder
}

/** @returns a function that stops the server and removes the folder */
async function serve(folder: string, program: string, port: number): Promise<() => Promise<void>> {
  const { NODE_ENV: _, VITEST: __, ...env } = process.env
  const child = spawn(process.execPath, [program], {
    cwd: folder,
    env: { ...env, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: `${port}` },
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  return async () => {
    if (child.exitCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

export function testSite(options: SiteOptions): void {
  let site: Site
  beforeAll(async () => {
    site = await Site.open(options)
  })
  afterAll(() => site?.close())

  test('the server renders the name with the state of the moment', async () => {
    for (const status of ['failed', 'connected']) {
      await site.setStatus(status)
      await until(async () => cardIn(await site.html()) === rendered(status), {
        what: `a page with ${rendered(status)}`,
      })
    }
  })

  test('a browser without scripts shows them', async () => {
    const { page, errors } = await site.visit(false)
    await page.getByText('Impianto 7: connected').waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('a browser with scripts hydrates the page without a warning, and its card is live', async () => {
    const { page, errors } = await site.visit(true)
    for (const status of ['connected', 'failed', 'connected']) {
      await site.setStatus(status)
      await page.locator(`mqtt-status-card:state(${status}):state(link-live)`).waitFor()
    }
    await page.getByRole('group', { name: 'Impianto 7', exact: true }).waitFor()
    expect(errors).toEqual([])
    await page.context().close()
  })

  test('without mqtt-status the server renders the name alone', async () => {
    await site.status.end('SIGTERM')
    expect(cardIn(await site.html())).toBe(rendered(null))
  })
}
