/**
 * Finds the browser that all tests run in: `CHROME_PATH`, else an installed Chrome or Chromium, else the one that
 * comes from npm (Linux on x64).
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import type { Browser } from 'playwright-core'

/** What has to be run, and how; understood by Playwright and Puppeteer alike. */
export interface BrowserProgram {
  readonly executablePath: string
  readonly args: string[]
}

const usualPlaces: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/snap/bin/chromium',
  ],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'].flatMap((folder) => {
    const base = process.env[folder]
    return base ? [join(base, 'Google', 'Chrome', 'Application', 'chrome.exe')] : []
  }),
}

// Nothing that a browser does on its own may reach the network during a test.
const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

// In a single process the first page that is closed takes the browser with it.
const npmArgs = chromium.args.filter((arg) => arg !== '--single-process' && arg !== '--no-zygote')

/** @throws Error if there is no browser, saying where one was looked for */
export async function findBrowser(): Promise<BrowserProgram> {
  // Chrome refuses to run its sandbox as root, which is what containers usually are.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const wanted = process.env['CHROME_PATH']
  if (wanted && !existsSync(wanted)) throw new Error(`CHROME_PATH: there is no file ${wanted}`)
  const places = usualPlaces[process.platform] ?? []
  const installed = wanted ?? places.find((place) => existsSync(place))
  if (installed) return { executablePath: installed, args: [...quiet, ...sandbox] }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `No Chrome found. Install it, or set CHROME_PATH to one. Looked at:\n${places.join('\n')}`,
    )
  }
  return {
    executablePath: await chromium.executablePath(),
    args: [...npmArgs, ...quiet, '--no-sandbox'],
  }
}

/** A running browser without a window. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({ ...(await findBrowser()), headless: true })
}

/** The browser from npm, in which pixels can be compared; `null` where it does not run. */
export async function launchPinnedBrowser(): Promise<Browser | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const executablePath = await chromium.executablePath()
  const args = [...npmArgs, ...quiet, '--no-sandbox', '--font-render-hinting=none']
  return playwright.launch({ executablePath, args, headless: true }).catch(() => null)
}
