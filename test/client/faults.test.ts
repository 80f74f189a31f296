/** Faults of networks and servers, one by one. */
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PATIENCE } from '../../packages/server/src/http/context.ts'
import { row } from '../../packages/server/test/http/house.ts'
import type { StatusClient } from '../../packages/widgets/src/client/index.ts'
import { isLive, World } from './world.ts'

/** Short, so that the client detects silence soon: it waits for 10 s more. */
const HEARTBEAT_MS = 500

let world: World

beforeEach(async () => {
  world = await World.open({
    heartbeatMs: HEARTBEAT_MS,
    patience: { ...PATIENCE, pongMs: HEARTBEAT_MS / 2 },
  })
  world.house.publish([row('a', 1)])
})

afterEach(async () => {
  await world.close()
})

function revisionOf(client: StatusClient): number | undefined {
  return client.rows()[0]?.revision
}

test('after a reset the client is live within seconds, with the changes made meanwhile', async () => {
  const client = await world.live()
  // Each loss doubles the bound of the next wait, up to 4 s: no transport here is live for the 30 s that reset the waits.
  for (let revision = 2; revision < 6; revision++) {
    world.proxy.reset()
    world.house.publish([row('a', revision)])
    await until(() => revisionOf(client) === revision)
  }
  await isLive(client)
})

test(
  'in a black hole the link is stale after the grace, and live when it ends',
  { timeout: 40_000 },
  async () => {
    const client = await world.live()
    world.proxy.mode = 'drop'
    world.house.publish([row('a', 2)])
    await until(() => client.link.state === 'stale', { timeoutMs: 15_000 })
    expect(revisionOf(client)).toBe(1)
    world.proxy.mode = 'pass'
    await until(() => client.link.state === 'live', { timeoutMs: 20_000 })
    expect(revisionOf(client)).toBe(2)
  },
)

test(
  'half open: the server closes a client that does not answer, and the client finds out',
  { timeout: 40_000 },
  async () => {
    const client = await world.live()
    world.proxy.mode = 'up-drop'
    await until(() => world.house.hub.size === 0, { timeoutMs: 20_000 })
    world.proxy.mode = 'pass'
    world.house.publish([row('a', 2)])
    await until(() => revisionOf(client) === 2, { timeoutMs: 20_000 })
    await isLive(client)
  },
)

test('a slow transport stays open', async () => {
  world.proxy.mode = 'slow'
  const client = await world.live()
  world.house.publish([row('a', 2)])
  await until(() => revisionOf(client) === 2)
  expect(client.link.state).toBe('live')
})

test('after repeated resets in the handshake the client is live as soon as one attempt gets through', async () => {
  world.proxy.mode = 'reset-upgrade'
  const client = world.client({ transport: 'ws' })
  client.watch({ all: true }, () => undefined)
  await until(() => world.proxy.refused >= 4)
  expect(client.link.state).toBe('connecting')
  world.proxy.mode = 'pass'
  await isLive(client)
})

test('closed clients leave no socket, subscriber or timer', async () => {
  for (let i = 0; i < 20; i++) {
    const client = await world.live()
    client.connection('a').subscribe(() => undefined)
    if (i % 2 === 0) world.proxy.reset()
    client.close()
  }
  // `afterEach` counts sockets, subscribers and timers.
  await until(() => world.house.hub.size === 0)
})
