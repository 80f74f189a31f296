/** The README's first command, from its build to Ctrl-C. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@mqtt-status/testing/free-port'
import { until } from '@mqtt-status/testing/until'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser } from '../../scripts/browser.ts'

const START = new URL('../../scripts/start.ts', import.meta.url).pathname

let folder: string
let browser: Browser
let demo: ChildProcess
let output = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-start-'))
  // Started as root, the demo would otherwise put the data where its user can reach it.
  chmodSync(folder, 0o755)
  const args = [
    START,
    '--no-open',
    '--port',
    String(await freePort()),
    '--folder',
    join(folder, 'data'),
  ]
  demo = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The demo starts its own database, although this test run may use another one.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  for (const stream of [demo.stdout, demo.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
  demo.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function address(): string | undefined {
  if (demo.exitCode !== null) throw new Error(output)
  return /Portal\s+(http\S+)/.exec(output)?.[1]
}

test('the demo page has a dozen live cards, no error in the console, and the problem of one connection in words', async () => {
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  await page.goto((await until(address, { what: 'the address', timeoutMs: 60_000 })) as string)
  await page.waitForFunction(
    () => document.querySelectorAll('mqtt-status-card:state(link-live)').length >= 12,
  )
  await page.waitForSelector('mqtt-status-card[connection-id="plant-7"]:state(connected)', {
    state: 'attached',
  })
  await page.waitForSelector('mqtt-status-card:state(disconnected)', { state: 'attached' })
  const words = (): Promise<string> =>
    page
      .locator('mqtt-status-card')
      .evaluateAll((cards) => cards.map((card) => card.shadowRoot?.textContent ?? '').join(' '))
  await until(async () => (await words()).includes('credentials'), { what: 'the wrong password' })
  expect(errors).toEqual([])
})

test('Ctrl-C ends the demo with 0', async () => {
  const exit = once(demo, 'exit')
  demo.kill('SIGINT')
  await exit
  expect(demo.exitCode).toBe(0)
  expect(output).toContain('Everything is stopped')
})
