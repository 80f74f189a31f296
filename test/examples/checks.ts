/** What every example has to show in a real browser, whatever its framework; each check throws where a page does not show it. */
import { until } from '@mqtt-status/testing/until'
import { expect } from 'vitest'
import type { Traits } from './examples.ts'
import { IDS, NAMES } from './fleet.ts'
import type { Stage } from './stage.ts'
import { Visit } from './visit.ts'
import type { Rendered } from './visit.ts'

/** The page that is checked. */
export interface Scene {
  readonly stage: Stage
  readonly traits: Traits
  /** Where the example has its pages. */
  readonly base: string
  readonly rendered: Rendered
}

export type Check = (scene: Scene) => Promise<void>

/** Frameworks keep the elements of a page that they have just left; more than these are a leak. */
const CARDS_KEPT = 9

export async function changesLive({ stage, base, rendered }: Scene): Promise<void> {
  await stage.allConnected()
  const visitor = await Visit.open(stage, base, { rendered })
  for (const id of IDS) await visitor.shows(id, 'connected')
  await stage.ask('disconnected', 'cascina-rossi')
  await visitor.shows('cascina-rossi', 'disconnected')
  await visitor.shows('plant-7', 'connected')
  await visitor.close()
}

export async function buttonCommands({ stage, base, rendered }: Scene): Promise<void> {
  await stage.allConnected()
  const visitor = await Visit.open(stage, base, { rendered })
  const { fleet } = stage
  const before = await fleet.disconnects('plant-7')
  await visitor.shows('plant-7', 'connected')
  await visitor.click('plant-7')
  await visitor.shows('plant-7', 'disconnected')
  expect(await fleet.desired('plant-7')).toBe('disconnected')
  expect(await fleet.disconnects('plant-7')).toBe(before + 1)
  await visitor.click('plant-7')
  await visitor.shows('plant-7', 'connected')
  expect(await fleet.desired('plant-7')).toBe('connected')
  await visitor.close()
}

export async function survivesRestart({ stage, base, rendered }: Scene): Promise<void> {
  await stage.allConnected()
  const visitor = await Visit.open(stage, base, { rendered })
  await visitor.shows('marghera-a', 'connected')
  await visitor.page.evaluate(() => (window.isSameDocument = true))
  await stage.server.end('SIGKILL')
  // No server runs while this change is made; the restarted one has to read it.
  await stage.ask('disconnected', 'marghera-a')
  await stage.server.launch()
  await visitor.shows('marghera-a', 'disconnected')
  await visitor.shows('plant-7', 'connected')
  expect(await visitor.page.evaluate(() => window.isSameDocument)).toBe(true)
  visitor.forgiveNetwork()
  await visitor.close()
}

/** Without scripts the page shows the names, and the status if a server renders it. */
export async function rendersFirstText({ stage, base, traits }: Scene): Promise<void> {
  await stage.allConnected()
  await stage.ask('disconnected', 'cascina-rossi')
  await stage.reaches('disconnected', 'cascina-rossi')
  const visitor = await Visit.open(stage, base, { javaScript: false })
  expect(await visitor.texts()).toEqual(
    IDS.map((id) => {
      const status = id === 'cascina-rossi' ? 'disconnected' : 'connected'
      return traits.withoutScript === 'state' ? `${NAMES[id]}: ${status}` : NAMES[id]
    }),
  )
  await visitor.page.getByText(NAMES['plant-7']).waitFor()
  await visitor.close()
}

/** Cards are live if the elements are defined after the page is rendered. */
export async function upgradesLate({ stage, base }: Scene): Promise<void> {
  await stage.allConnected()
  const visitor = await Visit.open(stage, base, { held: true })
  for (const name of Object.values(NAMES)) await visitor.page.getByText(name).waitFor()
  const upgraded = await visitor.page.locator('mqtt-status-card:defined').count()
  expect([await visitor.texts(), upgraded]).toEqual([
    IDS.map((id) => expect.stringContaining(NAMES[id]) as string),
    0,
  ])
  await visitor.release()
  for (const id of IDS) await visitor.shows(id, 'connected')
  await visitor.close()
}

/** Cards are live if the elements are defined before the framework creates them. */
export async function createsDefined({ stage, base, traits }: Scene): Promise<void> {
  await stage.allConnected()
  const about = base === '/' ? '/about' : `${base}/about`
  const visitor = await Visit.open(stage, traits.registersLate === true ? base : about)
  await visitor.page.waitForFunction(() => customElements.get('mqtt-status-card') !== undefined)
  if (traits.registersLate === true) await visitor.follow('/about', base)
  expect(await visitor.page.locator('mqtt-status-card').count()).toBe(0)
  await visitor.follow('/', base)
  for (const id of IDS) await visitor.shows(id, 'connected')
  await visitor.close()
}

/** Navigations between the two pages leave no socket, no listener and no card behind. */
export async function leavesNothing({ stage, base, traits }: Scene): Promise<void> {
  await stage.allConnected()
  const { door } = stage
  await stage.allClosed()
  const before = door.handshakes
  const visitor = await Visit.open(stage, base)
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
  for (let at = 2; at < stage.rounds; at++) await round()
  if (traits.navigation === 'client') expect(door.handshakes - before, 'handshakes').toBe(1)
  await until(() => door.open === 1, { what: 'one socket to be open' })
  await visitor.follow('/about', base)
  const late = await visitor.held()
  expect(late.listeners, 'listeners').toBe(early.listeners)
  expect(late.cards, 'cards').toBeLessThanOrEqual(CARDS_KEPT)
  const rest = traits.keepsSocket === true ? 1 : 0
  await until(() => door.open === rest, { what: `${rest} sockets to be open on /about` })
  await visitor.close()
}
