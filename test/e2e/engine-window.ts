/** A window of whichever engine `BROWSER_ENGINE` names, driven by real clicks and keys. Chromium by default. */
import { launch } from 'puppeteer-core'
import type { KeyInput, Page } from 'puppeteer-core'
import { ENGINES, launchOptions } from '../../scripts/engines.ts'
import type { Engine } from '../../scripts/engines.ts'
import { WebKit } from '../../scripts/webkit.ts'
import type { WebKitWindow } from '../../scripts/webkit.ts'

/** What a test presses, by the code points that WebDriver gives to the keys. */
const KEYS = { Tab: '\uE004', Enter: '\uE007', Escape: '\uE00C' } as const

export type Key = keyof typeof KEYS & KeyInput

export interface EngineWindow {
  go(url: string): Promise<void>
  /** Runs a function in the page. It sees nothing of the test but its arguments, which are JSON. */
  evaluate<A extends readonly unknown[], T>(work: (...args: A) => T, ...args: A): Promise<T>
  /** Clicks with a mouse, in CSS px from the top left of what is seen of the page. */
  click(x: number, y: number): Promise<void>
  press(key: Key): Promise<void>
  /** What is seen of the page, as PNG. */
  screenshot(): Promise<Buffer>
  close(): Promise<void>
}

const WIDTH = 1280
const HEIGHT = 900

function engineOf(name: string): Engine {
  const found = ENGINES.find((engine) => engine === name)
  if (!found) throw new Error(`BROWSER_ENGINE is ${name}; there are ${ENGINES.join(', ')}`)
  return found
}

/** @throws Error if the engine is not installed */
export async function openWindow(
  engine: Engine = engineOf(process.env['BROWSER_ENGINE'] ?? 'chromium'),
): Promise<EngineWindow> {
  if (engine === 'webkit') {
    const webkit = await WebKit.start()
    return webkitWindow(await webkit.open(), () => {
      webkit.stop()
    })
  }
  const browser = await launch(await launchOptions(engine))
  const page = await browser.newPage()
  await page.setViewport({ width: WIDTH, height: HEIGHT })
  return puppeteerWindow(page, () => browser.close())
}

function puppeteerWindow(page: Page, stop: () => Promise<void>): EngineWindow {
  return {
    go: async (url) => {
      await page.goto(url)
    },
    evaluate: async <A extends readonly unknown[], T>(work: (...args: A) => T, ...args: A) =>
      (await page.evaluate(callOf(work, args))) as T,
    click: (x, y) => page.mouse.click(x, y),
    press: (key) => page.keyboard.press(key),
    screenshot: async () => Buffer.from(await page.screenshot()),
    close: stop,
  }
}

function webkitWindow(window: WebKitWindow, stop: () => void): EngineWindow {
  const act = (...actions: unknown[]): Promise<unknown> =>
    window.send('POST', '/actions', { actions })
  return {
    go: async (url) => {
      await window.go(url)
    },
    evaluate: async <A extends readonly unknown[], T>(work: (...args: A) => T, ...args: A) => {
      const script = `return ${callOf(work, args)}`
      return (await window.send('POST', '/execute/sync', { script, args: [] })) as T
    },
    click: async (x, y) => {
      await act({
        ...{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' } },
        actions: [
          { type: 'pointerMove', x: Math.round(x), y: Math.round(y) },
          { type: 'pointerDown', button: 0 },
          { type: 'pointerUp', button: 0 },
        ],
      })
    },
    press: async (key) => {
      const value = KEYS[key]
      const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }))
      await act({ type: 'key', id: 'keyboard', actions })
    },
    screenshot: async () => Buffer.from(String(await window.send('GET', '/screenshot')), 'base64'),
    close: async () => {
      await window.close()
      stop()
    },
  }
}

function callOf(work: (...args: never) => unknown, args: readonly unknown[]): string {
  return `(${String(work)})(...${JSON.stringify(args)})`
}
