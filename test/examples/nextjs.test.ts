import type { Request } from 'playwright-core'
import { expect, test } from 'vitest'
import { testExample, testStrictMode } from './spec.ts'

const { stage, visit } = testExample('nextjs')
testStrictMode('nextjs', { '/': 'element', '/dataloggers': 'own markup' })

const CARD = '[data-connection-id="plant-7"]'

test('a button is busy before the server has the command, and as before where the server refuses it', async () => {
  await stage().allConnected()
  const visitor = await visit('/dataloggers', { rendered: 'own markup' })
  const { page } = visitor
  await visitor.shows('plant-7', 'connected')
  let letGo = (): void => undefined
  const isSeen = new Promise<void>((resolve) => (letGo = resolve))
  let commands = 0
  const withoutToken = '**/api/v1/connections/plant-7/disconnect'
  await page.route(withoutToken, async (route) => {
    commands++
    await isSeen
    const { authorization: _, ...headers } = await route.request().allHeaders()
    await route.continue({ headers })
  })
  await visitor.click('plant-7')
  const busy = page.locator(CARD).getByRole('button', { name: 'Disconnecting…', disabled: true })
  await busy.waitFor()
  await busy.click({ force: true })
  expect(await stage().fleet.desired('plant-7')).toBe('connected')
  letGo()
  await page.locator(CARD).getByText('The command has failed: unauthorized').waitFor()
  await page.locator(CARD).getByRole('button', { name: 'Disconnect', disabled: false }).waitFor()
  await visitor.shows('plant-7', 'connected')
  expect([commands, await stage().fleet.desired('plant-7')]).toEqual([1, 'connected'])
  await page.unroute(withoutToken)
  await visitor.click('plant-7')
  await visitor.shows('plant-7', 'disconnected')
  expect(await page.locator(CARD).getByText('The command has failed').count()).toBe(0)
  visitor.forgive(/status of 401/)
  await visitor.close()
})

test.each([
  ['/', 'element'],
  ['/dataloggers', 'own markup'],
] as const)('%s sends no request while it is live', async (path, rendered) => {
  await stage().allConnected()
  const visitor = await visit(path, { rendered, clock: true })
  const { page } = visitor
  await visitor.shows('plant-7', 'connected')
  const requests: string[] = []
  page.on('request', (request) => {
    if (!isPrefetch(request)) requests.push(request.url())
  })
  for (const wish of ['disconnected', 'connected', 'disconnected', 'connected'] as const) {
    await stage().ask(wish, 'plant-7')
    await visitor.shows('plant-7', wish)
    // All timers of this time run. A client that receives nothing for longer takes the server for lost.
    await page.clock.runFor(20_000)
  }
  expect(requests).toEqual([])
  await visitor.close()
})

/** Next.js loads pages that links lead to. */
function isPrefetch(request: Request): boolean {
  return request.headers()['next-router-prefetch'] !== undefined
}

test('dataloggers of the first rendering are those of the server, without scripts', async () => {
  await stage().allConnected()
  await stage().ask('disconnected', 'cascina-rossi')
  await stage().reaches('disconnected', 'cascina-rossi')
  const visitor = await visit('/dataloggers', { rendered: 'own markup', javaScript: false })
  const cards = visitor.page.locator('[data-connection-id]')
  const statuses = await cards.evaluateAll((all) =>
    all.map((card) => card.getAttribute('data-status')),
  )
  expect(statuses).toEqual(['connected', 'disconnected', 'connected'])
  await visitor.close()
})
