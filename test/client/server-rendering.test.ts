/** The client without a document: in a server that renders a page, and in a program that stays subscribed. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { clientFor } from '../../packages/widgets/src/client/index.ts'
import type { StatusClient } from '../../packages/widgets/src/client/index.ts'
import { row } from '../../packages/server/test/http/house.ts'
import { isLive, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.open()
  world.house.publish([row('a', 1)])
})

afterEach(async () => {
  vi.restoreAllMocks()
  await world.close()
})

/** Frameworks read a store by subscribing and unsubscribing within one task. */
const READS: Readonly<Record<string, (client: StatusClient) => void>> = {
  'a connection': (client) => {
    client.connection('a').subscribe(() => undefined)()
  },
  'a connection, twice': (client) => {
    const leave = client.connection('a').subscribe(() => undefined)
    client.connection('a').subscribe(() => undefined)()
    leave()
  },
  everything: (client) => {
    client.watch({ all: true }, () => undefined)()
  },
  'a connection of a client that is closed then': (client) => {
    client.connection('a').subscribe(() => undefined)
    client.close()
  },
}

test.each(Object.entries(READS))(
  'reading %s while rendering opens no transport',
  async (_, read) => {
    const opened = vi.spyOn(globalThis, 'WebSocket')
    const asked = vi.spyOn(globalThis, 'fetch')
    const client = world.client()
    read(client)
    // When a client that stays subscribed is live, the others would have opened their transports, too.
    const other = world.client()
    other.connection('a').subscribe(() => undefined)
    await isLive(other)
    expect(opened.mock.calls.length + asked.mock.calls.length).toBe(1)
    expect(world.house.hub.size).toBe(1)
  },
)

test('reading while rendering does not call getToken', async () => {
  const getToken = vi.fn(() => 'token')
  const client = world.client({ getToken })
  client.connection('a').subscribe(() => undefined)()
  const other = await world.live()
  expect(other.link.state).toBe('live')
  expect(getToken).not.toHaveBeenCalled()
  client.connection('a').subscribe(() => undefined)
  await isLive(client)
  expect(getToken).toHaveBeenCalledOnce()
})

test('the link of a program that stays subscribed is live', async () => {
  const client = world.client()
  client.connection('a').subscribe(() => undefined)
  await isLive(client)
  expect(client.connection('a').get().connection?.revision).toBe(1)
})

test('clientFor works without a page that resolves a relative token address', () => {
  const settings = { src: 'https://status.test', tokenSrc: '/mqtt-token' }
  expect(clientFor(settings)).toBe(clientFor(settings))
  expect(clientFor(settings)).not.toBe(clientFor({ ...settings, tokenSrc: '/other' }))
  expect(clientFor(settings).connection('a').get().connection).toBeNull()
})
