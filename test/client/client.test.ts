/** The client against a real HTTP server and hub, over real sockets, through a proxy that fails on demand. */
import type { Connection } from '@mqtt-status/protocol'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { House, row } from '../../packages/server/test/http/house.ts'
import { clientFor, createClient } from '../../packages/widgets/src/client/index.ts'
import type {
  ClientSettings,
  ConnectionView,
  StatusClient,
} from '../../packages/widgets/src/client/index.ts'

let house: House
let clients: StatusClient[]

beforeEach(async () => {
  house = await House.open()
  clients = []
})

afterEach(async () => {
  for (const client of clients) client.close()
  await until(() => house.hub.size === 0, { what: 'the server to see the clients leave' })
  await house.close()
})

function client(settings: Partial<ClientSettings> = {}): StatusClient {
  const made = createClient({ src: house.url, ...settings })
  clients.push(made)
  return made
}

async function live(one: StatusClient): Promise<void> {
  await until(() => one.link.state === 'live', { what: `live, is ${one.link.state}` })
}

test('a subscriber gets the current row, then every change; unchanged rows keep their identity', async () => {
  house.publish([row('a', 1), row('b', 2)])
  const one = client()
  const views: ConnectionView[] = []
  one.connection('a').subscribe((view) => views.push(view))
  one.connection('b').subscribe(() => undefined)
  await live(one)
  const b = one.connection('b').get()
  house.publish([row('a', 3, { status: 'failed' })])
  await until(() => views.at(-1)?.connection?.status === 'failed')
  expect(views.map(({ connection }) => connection?.revision ?? null)).toEqual([null, 1, 3])
  expect(one.connection('b').get()).toBe(b)
  expect(one.connection('a').get()).toBe(views.at(-1))
})

test('subscriptions of one task are one watch on one socket, and a late subscriber gets the row at once', async () => {
  house.publish(Array.from({ length: 50 }, (_, i) => row(`c${i}`, i + 1)))
  const one = client()
  for (let i = 0; i < 50; i++) one.connection(`c${i}`).subscribe(() => undefined)
  await live(one)
  expect(house.hub.size).toBe(1)
  const heard: (string | undefined)[] = []
  one.connection('c7').subscribe(({ connection }) => heard.push(connection?.id))
  expect(heard).toEqual(['c7'])
})

test('an id without a row is missing until the row exists, and again after it is deleted', async () => {
  const one = client()
  const handle = one.connection('a')
  handle.subscribe(() => undefined)
  await until(() => handle.get().missing)
  house.publish([row('a', 1)])
  await until(() => handle.get().connection !== null)
  house.hub.publish({
    kind: 'changes',
    epoch: 'e1',
    mark: 900n,
    floor: 0n,
    rows: [],
    tombstones: [{ id: 'a', siteId: 's1', revision: 2, changed: 899n }],
  })
  await until(() => handle.get().missing)
  expect(handle.get().connection).toBeNull()
})

test('the client calls the next listener after one throws', async () => {
  house.publish([row('a', 1)])
  const one = client()
  const caught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => caught.push(error))
  let heard = 0
  let angry = false
  one.connection('a').subscribe(() => {
    if (angry) throw new Error('a listener of the page')
  })
  one.connection('a').subscribe(() => heard++)
  await live(one)
  const before = heard
  angry = true
  house.publish([row('a', 2)])
  await until(() => heard > before)
  await until(() => caught.length > 0)
  process.removeAllListeners('uncaughtException')
  for (const listener of listeners) process.on('uncaughtException', listener)
})

test('after a cut the link is stale, and the client resumes with the changes made meanwhile', async () => {
  house.publish([row('a', 1), row('b', 2)])
  const proxy = await FaultProxy.start(house.port)
  const one = client({ src: `http://127.0.0.1:${proxy.port}` })
  const states: string[] = []
  one.onLink(() => states.push(one.link.state))
  one.watch({ all: true }, () => undefined)
  await live(one)
  proxy.mode = 'drop'
  proxy.reset()
  await until(() => one.link.state === 'stale')
  house.publish([row('b', 3, { status: 'failed' })])
  proxy.mode = 'pass'
  one.refresh()
  await live(one)
  const statuses = one.rows().map(({ id, status }): [string, Connection['status']] => [id, status])
  expect(Object.fromEntries(statuses)).toEqual({ a: 'connected', b: 'failed' })
  expect(states).toEqual(['live', 'stale', 'live'])
  one.close()
  await proxy.stop()
})

test('the page does not show a short interruption', async () => {
  const proxy = await FaultProxy.start(house.port)
  const one = createClient({ src: `http://127.0.0.1:${proxy.port}` }, { random: () => 0 })
  clients.push(one)
  const states: string[] = []
  one.onLink(() => states.push(one.link.state))
  one.watch({ all: true }, () => undefined)
  await live(one)
  proxy.reset()
  // The change arrives on the new transport, because the former one is closed.
  house.publish([row('a', 1)])
  await until(() => one.rows().length === 1)
  expect(states.filter((state) => state !== 'live')).toEqual([])
  one.close()
  await proxy.stop()
})

test('after a shutdown the client connects to the next server', async () => {
  const one = client()
  one.watch({ all: true }, () => undefined)
  await live(one)
  const { port } = house
  await house.close()
  await until(() => one.link.state === 'stale')
  house = await House.open({ kind: 'open' }, { port })
  await live(one)
})

test('the client closes its socket a while after the last listener has left, and opens one for the next', async () => {
  const one = client()
  const leave = one.connection('a').subscribe(() => undefined)
  await live(one)
  leave()
  await until(() => house.hub.size === 0, { timeoutMs: 8_000 })
  one.connection('a').subscribe(() => undefined)
  await live(one)
})

test('a command is pending until a row settles it', async () => {
  house.publish([row('a', 1)])
  const one = client()
  const handle = one.connection('a')
  handle.subscribe(() => undefined)
  await live(one)
  const desiredAt = new Date().toISOString()
  const pending = row('a', 2, { desired: 'disconnected', desiredAt, generation: 2 })
  house.commandResult = { kind: 'accepted', connection: pending, generation: 2 }
  const outcome = one.command('a', 'disconnect', { requestId: 'r1' })
  expect(handle.get().pending).toEqual({ action: 'disconnect', phase: 'sent' })
  await until(() => handle.get().pending?.phase === 'accepted')
  expect(house.commands[0]).toMatchObject({ id: 'a', action: 'disconnect', idempotencyKey: 'r1' })
  house.publish([{ ...pending, revision: 3, observedGeneration: 2, status: 'disconnecting' }])
  house.publish([{ ...pending, revision: 4, observedGeneration: 2, status: 'disconnected' }])
  expect(await outcome).toEqual({ outcome: 'done', code: null })
  expect(handle.get().pending).toBeNull()
})

test('a command fails with a code if the server refuses it, or while the link is not live', async () => {
  const one = client()
  expect(await one.command('a', 'connect', { requestId: 'r' })).toEqual({
    outcome: 'failed',
    code: 'unreachable',
  })
  house.publish([row('a', 1)])
  one.connection('a').subscribe(() => undefined)
  await live(one)
  house.commandResult = { kind: 'not_controllable' }
  expect(await one.command('a', 'connect', { requestId: 'r' })).toEqual({
    outcome: 'failed',
    code: 'not_controllable',
  })
})

test('the client retries a token source that fails, and is unauthorized after a refusal until the page retries', async () => {
  await house.close()
  const { mintToken } = await import('../../packages/server/src/auth/tokens.ts')
  const secret = {
    kind: 'secret',
    maxTtlS: 604_800,
    secret: 'a secret of at least thirty-two bytes',
  } as const
  house = await House.open(secret)
  const good = await mintToken(secret, {
    subject: 'me',
    sites: '*',
    connections: [],
    can: ['view'],
    lifetimeS: 600,
  })
  const bad = client({ token: 'garbage' })
  bad.watch({ all: true }, () => undefined)
  await until(() => bad.link.state === 'unauthorized')
  let asked = 0
  const one = client({
    getToken: () => {
      asked++
      return asked === 1
        ? Promise.reject(new Error('away'))
        : Promise.resolve(asked === 2 ? 'garbage' : good)
    },
  })
  one.watch({ all: true }, () => undefined)
  await live(one)
  expect(one.can).toEqual(['view'])
  expect(asked).toBe(3)
})

test('the page shares one client for each server and identity', () => {
  const shared = clientFor({ src: house.url })
  expect(clientFor({ src: `${house.url}/` })).toBe(shared)
  shared.close()
})

test('two copies of the client on one page share one socket', async () => {
  house.publish([row('a', 1)])
  vi.resetModules()
  const other = await import('../../packages/widgets/src/client/index.ts')
  expect(other.clientFor).not.toBe(clientFor)
  const [one, two] = [clientFor({ src: house.url }), other.clientFor({ src: house.url })]
  clients.push(one)
  one.connection('a').subscribe(() => undefined)
  two.connection('a').subscribe(() => undefined)
  await live(one)
  await live(two)
  expect(house.hub.size).toBe(1)
})
