/** The three browser engines that the tests know, and what each of them needs. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { findBrowser } from './browser.ts'
import { missingForWebKit } from './webkit.ts'

export const ENGINES = ['chromium', 'firefox', 'webkit'] as const

export type Engine = (typeof ENGINES)[number]

const firefoxPlaces = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
]

/** How Puppeteer launches one of the two engines that speak WebDriver BiDi or the protocol of Chrome's DevTools. */
export interface LaunchOptions {
  readonly browser: 'chrome' | 'firefox'
  readonly executablePath: string
  readonly args: string[]
  readonly headless: true
}

/** @throws Error if the engine is not installed */
export async function launchOptions(engine: Exclude<Engine, 'webkit'>): Promise<LaunchOptions> {
  if (engine === 'chromium') return { browser: 'chrome', headless: true, ...(await findBrowser()) }
  const executablePath = findFirefox()
  if (executablePath === null) throw new Error('Firefox is not installed')
  return { browser: 'firefox', headless: true, executablePath, args: [] }
}

/** `FIREFOX_PATH`, else an installed Firefox. */
function findFirefox(): string | null {
  const wanted = process.env['FIREFOX_PATH']
  const found = wanted ?? firefoxPlaces.find((place) => existsSync(place))
  return found !== undefined && existsSync(found) ? found : null
}

/** What has to be installed before an engine can run, as a sentence; `null` if nothing is missing. */
export async function whatIsMissing(engine: Engine): Promise<string | null> {
  switch (engine) {
    case 'chromium':
      return findBrowser().then(
        () => null,
        (error: unknown) => (error as Error).message,
      )
    case 'firefox':
      return findFirefox() === null
        ? 'install Firefox (Debian: firefox-esr), or set FIREFOX_PATH'
        : null
    case 'webkit': {
      const packages = missingForWebKit()
      return packages.length === 0
        ? null
        : `install ${packages.join(' and ')} (Debian), or set WEBKIT_DRIVER`
    }
  }
}

/** The name and version that the engine's own program prints; `null` where it prints none. */
export async function versionOf(engine: Engine): Promise<string | null> {
  // WebKit's driver tells its version to sessions only.
  if (engine === 'webkit') return null
  const { executablePath } = await launchOptions(engine)
  return execFileSync(executablePath, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim()
}
