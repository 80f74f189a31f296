/**
 * The built bundle in a browser in which one feature is missing, or throws at each use. Browsers, sandboxes, policies,
 * extensions and old web views remove features. The card shows its status all the same, or a message, or the text inside it.
 */
import { readFileSync } from 'node:fs'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'
import { embed, PortalPages, ServerProcess } from './world.ts'

const BUNDLE = new URL('../../packages/widgets/cdn/mqtt-status.js', import.meta.url)
const ID = 'plant-7'
const AT_ONCE = 4

let database: TestDatabase
let server: ServerProcess
let portal: PortalPages
let browser: Browser
let features: readonly string[]

/** The features that the bundle requires, Lit included. Every browser has had them since 2018. */
const ESSENTIAL: readonly string[] = [
  ...['setTimeout', 'clearTimeout', 'Document', 'CustomEvent', 'CSSStyleSheet'],
  ...['Document.prototype.createTreeWalker', 'Element.prototype.innerHTML'],
  ...['Element.prototype.shadowRoot', 'Array.prototype.flat'],
]

/**
 * The features that the bundle may use, as paths from the global object: each global name that occurs in it, and each
 * member of what a page reaches from them. The language and the document (nodes and events) as of 2017 are left out: without
 * them no script runs, and every browser has them.
 */
function find(bundle: string): string[] {
  const LANGUAGE =
    /^(Object|Function|Array|Number|parseFloat|parseInt|Infinity|NaN|undefined|Boolean|String|Symbol|Date|Promise|RegExp|Error|\w+Error|JSON|Math|Map|Set|WeakMap|WeakSet|Proxy|Reflect|ArrayBuffer|\w+Array|DataView|eval|isFinite|isNaN|globalThis|decodeURI\w*|encodeURI\w*|escape|unescape|Intl)$/
  const PAGE =
    /^(window|self|document|location|customElements|HTMLElement|Element|Node|Event|top|parent|frames|length|name|status|closed|origin|event|close|stop|focus|open|print|find|external|history|screen|scroll|mqttStatus\w*)$/
  const isUsed = (name: string, before: string): boolean =>
    new RegExp(`${before}${name.replace('$', '\\$')}(?![\\w$])`).test(bundle)
  const globals = Object.getOwnPropertyNames(globalThis).filter(
    (name) => !LANGUAGE.test(name) && !PAGE.test(name) && isUsed(name, '(?<![.\\w$"\'`-])'),
  )
  const holders = [
    ...['navigator', 'navigator.locks', 'navigator.clipboard', 'crypto', 'performance', 'CSS'],
    ...['Intl', 'Object', 'Promise', 'localStorage', 'sessionStorage', 'URL', 'AbortSignal'],
    ...['Document.prototype', 'Element.prototype', 'HTMLElement.prototype', 'ShadowRoot.prototype'],
    ...['CSSStyleSheet.prototype', 'Response.prototype'],
    ...[
      'ElementInternals.prototype',
      'CustomStateSet.prototype',
      'CustomElementRegistry.prototype',
    ],
    ...['Array.prototype', 'String.prototype'],
    ...['Intl.DateTimeFormat.prototype', 'Intl.RelativeTimeFormat.prototype'],
    ...['Intl.NumberFormat.prototype', 'Intl.PluralRules.prototype', 'Intl.ListFormat.prototype'],
  ]
  const BASICS =
    /^(constructor|prototype|length|name|caller|arguments|at|concat|every|fill|filter|find|findIndex|forEach|includes|indexOf|join|keys|lastIndexOf|map|pop|push|reduce|reverse|shift|slice|some|sort|splice|unshift|values|entries|charAt|charCodeAt|endsWith|match|normalize|padEnd|padStart|repeat|replace|search|split|startsWith|substring|toLowerCase|toUpperCase|toString|trim|valueOf|assign|create|defineProperty|defineProperties|freeze|getOwnPropertyDescriptor|getOwnPropertyDescriptors|getOwnPropertyNames|getOwnPropertySymbols|getPrototypeOf|is|isFrozen|keys|setPrototypeOf|then|all|race|resolve|reject|catch|createElement|appendChild|insertBefore|append|addEventListener|removeEventListener|dispatchEvent|nodeType|target|preventDefault|childNodes|firstChild|parentNode|ownerDocument|define|get|body|documentElement|head)$/
  const at = (path: string): unknown =>
    path
      .split('.')
      .reduce<unknown>(
        (one, name) => (one as Record<string, unknown> | undefined)?.[name],
        globalThis,
      )
  const members = holders.flatMap((path) => {
    const found: string[] = []
    for (
      let one = at(path);
      one && one !== Object.prototype && one !== Function.prototype;
      one = Object.getPrototypeOf(one) as unknown
    ) {
      found.push(...Object.getOwnPropertyNames(one))
      if (path.endsWith('.prototype')) break
    }
    return found
      .filter((name) => !BASICS.test(name) && /^[A-Za-z]+$/.test(name) && isUsed(name, '\\.'))
      .map((name) => `${path}.${name}`)
  })
  return [...new Set([...globals, ...members])]
}

/** The first script of the page: removes the feature that the address names, before any other script runs. */
function take(): void {
  localStorage.clear()
  sessionStorage.clear()
  const [path = '', how] = location.search.slice(1).split('=')
  if (path === '') return
  const names = path.split('.')
  const name = names.pop() ?? ''
  let holder: unknown = globalThis
  for (const one of names) holder = (holder as Record<string, unknown>)[one]
  while (holder && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder) as unknown
  if (!holder) return
  const descriptor = Object.getOwnPropertyDescriptor(holder, name)
  const refuse = (): never => {
    throw new DOMException(`${path} is taken away`, 'SecurityError')
  }
  if (how === 'missing') {
    if (!Reflect.deleteProperty(holder, name)) Reflect.set(holder, name, undefined)
    return
  }
  const { value } = descriptor ?? {}
  const thrower =
    typeof value === 'function'
      ? new Proxy(value as () => unknown, { apply: refuse, construct: refuse })
      : undefined
  Object.defineProperty(
    holder,
    name,
    thrower
      ? { value: thrower, configurable: true, writable: true }
      : { get: refuse, set: refuse, configurable: true },
  )
}

beforeAll(async () => {
  ;[database, browser] = await Promise.all([createDatabase(), launchBrowser()])
  await database.sql`
    insert into connections (id, site_id, name, managed, status, desired)
    values (${ID}, 'site-7', 'Impianto 7', false, 'connected', null)`
  server = await ServerProcess.start({ DATABASE_URL: database.url })
  const html = embed(server.url, ID).replace(
    '<script',
    `<script>(${String(take)})()</script><script`,
  )
  portal = await PortalPages.start(html)
  const page = await browser.newPage()
  await page.goto(portal.url)
  const found = await page.evaluate(find, readFileSync(BUNDLE, 'utf8'))
  features = found.filter((path) => !ESSENTIAL.includes(path))
  await page.close()
})

afterAll(async () => {
  await browser?.close()
  await portal?.stop()
  await server?.end('SIGTERM')
  await database?.drop()
})

interface Shown {
  /** The status, a message in its place, or the text inside an element whose fault is in the console. */
  readonly kind: 'status' | 'message' | 'text' | 'waits'
  readonly words: string
}

/** The visible text of the card. Playwright reads it in an isolated world, in which no feature is missing. */
async function look(page: Page, said: readonly string[]): Promise<Shown> {
  const drawn = page.locator('mqtt-status-card .card')
  if ((await drawn.count()) === 0) {
    const words = await page.locator('mqtt-status-card').innerText()
    const isSaid = said.some((text) => text.includes('mqtt-status:'))
    return { kind: isSaid ? 'text' : 'waits', words }
  }
  const words = await drawn.innerText()
  if (/Connesso|Connected/.test(words)) return { kind: 'status', words }
  const messages = await page.locator('mqtt-status-card [part=message]').allInnerTexts()
  return { kind: messages.join('').trim() === '' ? 'waits' : 'message', words }
}

/** The fault of a page without the feature; `null` = none. */
async function faultOf(page: Page, path: string, how: string): Promise<string | null> {
  const errors: string[] = []
  const said: string[] = []
  page.removeAllListeners()
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (message) => said.push(message.text()))
  await page.goto(`${portal.url}/?${path}=${how}`)
  let shown: Shown = { kind: 'waits', words: '' }
  try {
    await until(
      async () => {
        shown = await look(page, said)
        return errors.length > 0 || shown.kind !== 'waits'
      },
      { timeoutMs: 20_000 },
    )
  } catch {
    return `it waits for ever: ${JSON.stringify(shown.words)}`
  }
  if (errors.length > 0) return `uncaught: ${errors.join(' | ')}`
  return /Impianto 7|plant-7/.test(shown.words) ? null : `it has no name: ${shown.words}`
}

for (const how of ['missing', 'throwing'] as const) {
  test(`the card shows its status, or a fallback, without each feature in turn: ${how}`, async () => {
    expect(features.length).toBeGreaterThan(100)
    const waiting = [...features]
    const faults: string[] = []
    const work = async (): Promise<void> => {
      const page = await browser.newPage()
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        const fault = await faultOf(page, path, how)
        if (fault !== null) faults.push(`${path}: ${fault}`)
      }
      await page.close()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    expect(faults).toEqual([])
  }, 600_000)
}
