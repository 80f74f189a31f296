/**
 * WebKitGTK for tests, over plain WebDriver: Debian's `webkit2gtk-driver` on a virtual display of its own (`xvfb`).
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { freePort } from '@mqtt-status/testing/free-port'
import { until } from '@mqtt-status/testing/until'

const DRIVER = '/usr/bin/WebKitWebDriver'
const DISPLAY = '/usr/bin/Xvfb'

/** What has to be installed before WebKit can run, by the names of Debian; empty if nothing is missing. */
export function missingForWebKit(): string[] {
  return [
    existsSync(driverPath()) ? [] : 'webkit2gtk-driver',
    existsSync(DISPLAY) ? [] : 'xvfb',
  ].flat()
}

function driverPath(): string {
  return process.env['WEBKIT_DRIVER'] ?? DRIVER
}

/** A running driver and its display. It serves one window at a time. */
export class WebKit {
  readonly #url: string
  readonly #processes: readonly ChildProcess[]

  private constructor(url: string, processes: readonly ChildProcess[]) {
    this.#url = url
    this.#processes = processes
  }

  /** @throws Error if the driver or the display can't be started */
  static async start(): Promise<WebKit> {
    const [display, name] = await startDisplay()
    const port = await freePort()
    const driver = run(driverPath(), [`--port=${port}`], {
      DISPLAY: name,
      // In most containers the sandbox of WebKit (bubblewrap) can't be set up by root.
      ...(process.getuid?.() === 0 && { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' }),
    })
    const url = `http://127.0.0.1:${port}`
    const webkit = new WebKit(url, [driver, display])
    try {
      await until(() => call(url, 'GET', '/status'), { what: 'WebKitWebDriver to answer' })
    } catch (error) {
      webkit.stop()
      throw error
    }
    return webkit
  }

  /** Opens a window of 1280 × 900 with an empty profile. */
  async open(): Promise<WebKitWindow> {
    const { sessionId, capabilities } = (await call(this.#url, 'POST', '/session', {
      capabilities: {
        alwaysMatch: {
          pageLoadStrategy: 'none',
          // Scripts of a page may open popups without a click.
          'webkitgtk:browserOptions': {
            args: ['--automation', '--javascript-can-open-windows-automatically=true'],
          },
        },
      },
    })) as { sessionId: string; capabilities: { browserVersion: string } }
    const window = new WebKitWindow(
      `${this.#url}/session/${sessionId}`,
      capabilities.browserVersion,
    )
    await window.resize(1280, 900)
    return window
  }

  /** Ends the driver and the display. */
  stop(): void {
    for (const child of this.#processes) child.kill('SIGKILL')
  }
}

/** One window, which is one session of WebDriver. */
export class WebKitWindow {
  readonly version: string
  readonly #url: string

  constructor(url: string, version: string) {
    this.#url = url
    this.version = version
  }

  async go(url: string): Promise<void> {
    await this.send('POST', '/url', { url })
  }

  async url(): Promise<string> {
    return String(await this.send('GET', '/url'))
  }

  async resize(width: number, height: number): Promise<void> {
    await this.send('POST', '/window/rect', { width, height })
  }

  async close(): Promise<void> {
    await this.send('DELETE', '')
  }

  /** Sends a command of WebDriver, below the path of the session. */
  send(method: string, path: string, body?: unknown): Promise<unknown> {
    return call(this.#url, method, path, body)
  }
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const { value } = (await response.json()) as {
    value: { error?: string; message?: string } | null
  }
  if (response.ok) return value
  throw new Error(`WebKit: ${method} ${path}: ${value?.error ?? ''} ${value?.message ?? ''}`)
}

/** @returns the process, and the display's name, which the server chooses */
async function startDisplay(): Promise<readonly [ChildProcess, string]> {
  const child = run(DISPLAY, [
    ...['-displayfd', '3', '-screen', '0', '1400x1000x24'],
    ...['-nolisten', 'tcp'],
  ])
  const names = child.stdio[3] as Readable
  const [number] = (await Promise.race([
    once(names, 'data'),
    once(child, 'exit').then(() => {
      throw new Error(`${DISPLAY} ended at once`)
    }),
  ])) as [Buffer]
  return [child, `:${String(number).trim()}`]
}

/** A process that ends with this one. */
function run(file: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const end = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}
