/**
 * Many pages at once, with the heartbeat of a real server. A shorter one would time out, because two hundred clients share one
 * process.
 */
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { row } from '../../packages/server/test/http/house.ts'
import { World } from './world.ts'

const COUNT = 200
const PATIENCE = { timeoutMs: 30_000 }

let world: World

beforeEach(async () => {
  // Real clients have an address each, so the limit for one address does not apply.
  world = await World.open({ limits: { socketsPerAddress: 0, handshakesPerAddress: 0 } })
  world.house.publish([row('a', 1)])
})

afterEach(async () => {
  await world.close()
})

test(
  'two hundred pages reconnect after a restart of their server, spread over the window, and once each',
  { timeout: 90_000 },
  async () => {
    const clients = Array.from({ length: COUNT }, () => world.client())
    for (const client of clients) client.watch({ all: true }, () => undefined)
    const allLive = (): boolean => clients.every(({ link }) => link.state === 'live')
    await until(allLive, PATIENCE)
    const backAt: number[] = []
    const away = new Set(clients)
    for (const client of clients) {
      client.connection('a').subscribe(({ connection }) => {
        if (connection?.revision === 2 && away.delete(client)) backAt.push(performance.now())
      })
    }
    await world.restart()
    world.house.publish([row('a', 2)])
    await until(() => away.size === 0, PATIENCE)
    // The time between the first and the last twentieth; in a burst it would be near zero.
    const spreadMs = (backAt[COUNT * 0.95 - 1] ?? 0) - (backAt[COUNT * 0.05] ?? 0)
    expect(spreadMs).toBeGreaterThan(500)
    await until(() => world.house.hub.size === COUNT, PATIENCE)
    await until(allLive, PATIENCE)
  },
)
