/** What every example has to show in a real browser, whatever its framework. */
import { until } from '@mqtt-status/testing/until'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { EXAMPLE_TRAITS } from './examples.ts'
import type { Traits } from './examples.ts'
import { IDS, NAMES, Stage } from './stage.ts'
import { Visit } from './visit.ts'
import type { Rendered, VisitOptions } from './visit.ts'

/** A round is a visit to /about and back. */
const ROUNDS = 25
/** Frameworks keep the elements of a page that they have just left; more than these are a leak. */
const CARDS_KEPT = 9

/** For tests that only one example has. */
export interface Tested {
  stage(): Stage
  /** Opens a page with elements. */
  visit(path: string): Promise<Visit>
}

/** Registers the tests of an example. */
export function testExample(name: string): Tested {
  const traits = EXAMPLE_TRAITS[name]
  if (traits === undefined) throw new Error(`examples/${name} has no line in EXAMPLE_TRAITS`)
  let opened: Stage | null = null
  const stage = (): Stage => {
    if (opened === null) throw new Error('The stage is not open.')
    return opened
  }

  beforeAll(async () => {
    opened = await Stage.open(name, traits, inject('packed'))
  })
  afterAll(async () => {
    await opened?.close()
  })

  for (const base of ['/', ...(traits.bases ?? [])]) {
    describe(`the pages at ${base}`, () => {
      testPage(stage, base, 'element')
      testFirstText(stage, base, traits)
      testOrder(stage, base, traits)
      testLeaks(stage, base, traits)
    })
  }
  for (const path of traits.ownMarkup ?? [])
    describe(`the page ${path}`, () => {
      testPage(stage, path, 'own markup')
    })
  return { stage, visit: (path) => visit(stage(), path) }
}

async function visit(
  { browser, url }: Stage,
  path: string,
  rendered: Rendered = 'element',
  options: VisitOptions = {},
): Promise<Visit> {
  return Visit.open(browser, { url, path }, rendered, options)
}

function testPage(stage: () => Stage, path: string, rendered: Rendered): void {
  test('shows three live connections, and changes of the database', async () => {
    await stage().allConnected()
    const visitor = await visit(stage(), path, rendered)
    for (const id of IDS) await visitor.shows(id, 'connected')
    await stage().ask('disconnected', 'cascina-rossi')
    await visitor.shows('cascina-rossi', 'disconnected')
    await visitor.shows('plant-7', 'connected')
    await visitor.close()
  })

  test('its button disconnects a datalogger and connects it again', async () => {
    await stage().allConnected()
    const visitor = await visit(stage(), path, rendered)
    const before = stage().broker.disconnects('plant-7')
    await visitor.shows('plant-7', 'connected')
    await visitor.click('plant-7')
    await visitor.shows('plant-7', 'disconnected')
    expect(await stage().desired('plant-7')).toBe('disconnected')
    expect(stage().broker.disconnects('plant-7')).toBe(before + 1)
    await visitor.click('plant-7')
    await visitor.shows('plant-7', 'connected')
    expect(await stage().desired('plant-7')).toBe('connected')
    await visitor.close()
  })

  test('is live again after the server was killed, without a reload', async () => {
    await stage().allConnected()
    const visitor = await visit(stage(), path, rendered)
    await visitor.shows('marghera-a', 'connected')
    await visitor.page.evaluate(() => (window.isSameDocument = true))
    await stage().server.end('SIGKILL')
    // No server runs while this change is made; the restarted one has to read it.
    await stage().ask('disconnected', 'marghera-a')
    await stage().server.launch()
    await visitor.shows('marghera-a', 'disconnected')
    await visitor.shows('plant-7', 'connected')
    expect(await visitor.page.evaluate(() => window.isSameDocument)).toBe(true)
    visitor.forgiveNetwork()
    await visitor.close()
  })
}

function testFirstText(stage: () => Stage, base: string, { withoutScript }: Traits): void {
  if (withoutScript === 'nothing') return
  test('without scripts the page shows the names, and the status if a server renders it', async () => {
    await stage().allConnected()
    await stage().ask('disconnected', 'cascina-rossi')
    const live = await visit(stage(), base)
    await live.shows('cascina-rossi', 'disconnected')
    await live.close()
    const visitor = await visit(stage(), base, 'element', { javaScript: false })
    expect(await visitor.texts()).toEqual(
      IDS.map((id) => {
        const status = id === 'cascina-rossi' ? 'disconnected' : 'connected'
        return withoutScript === 'state' ? `${NAMES[id]}: ${status}` : NAMES[id]
      }),
    )
    await visitor.page.getByText(NAMES['plant-7']).waitFor()
    await visitor.close()
  })
}

function testOrder(stage: () => Stage, base: string, { navigation }: Traits): void {
  test('cards are live if the elements are defined after the page is rendered', async () => {
    await stage().allConnected()
    const visitor = await visit(stage(), base, 'element', { held: true })
    for (const name of Object.values(NAMES)) await visitor.page.getByText(name).waitFor()
    const upgraded = await visitor.page.locator('mqtt-status-card:defined').count()
    expect([await visitor.texts(), upgraded]).toEqual([
      IDS.map((id) => expect.stringContaining(NAMES[id]) as string),
      0,
    ])
    await visitor.release()
    for (const id of IDS) await visitor.shows(id, 'connected')
    await visitor.close()
  })

  if (navigation === 'document') return
  test('cards are live if the elements are defined before the framework creates them', async () => {
    await stage().allConnected()
    const visitor = await visit(stage(), base === '/' ? '/about' : `${base}/about`)
    await visitor.page.evaluate(() => customElements.whenDefined('mqtt-status-card'))
    expect(await visitor.page.locator('mqtt-status-card').count()).toBe(0)
    await visitor.follow('/', base)
    for (const id of IDS) await visitor.shows(id, 'connected')
    await visitor.close()
  })
}

function testLeaks(
  stage: () => Stage,
  base: string,
  { navigation, keepsSocket = false }: Traits,
): void {
  test(`${ROUNDS * 2} navigations leave no socket, no listener and no card behind`, async () => {
    await stage().allConnected()
    const { door } = stage()
    await stage().allClosed()
    const before = door.handshakes
    const visitor = await visit(stage(), base)
    const round = async (): Promise<void> => {
      await visitor.follow('/about', base)
      await visitor.follow('/', base)
      for (const id of IDS) await visitor.shows(id, 'connected')
    }
    await round()
    await round()
    await visitor.follow('/about', base)
    const early = await visitor.held()
    await visitor.follow('/', base)
    for (let at = 2; at < ROUNDS; at++) await round()
    if (navigation === 'client') expect(door.handshakes - before).toBe(1)
    await until(() => door.open === 1, { what: 'one socket to be open' })
    await visitor.follow('/about', base)
    const late = await visitor.held()
    expect(late.listeners).toBe(early.listeners)
    expect(late.cards).toBeLessThanOrEqual(CARDS_KEPT)
    const rest = keepsSocket ? 1 : 0
    await until(() => door.open === rest, { what: `${rest} sockets to be open on /about` })
    await visitor.close()
  })
}
