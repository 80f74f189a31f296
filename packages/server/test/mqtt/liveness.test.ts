/** The server finds dead connections: silence, checks, tests before a save, and the device behind the connection. */
import { Broker } from '@mqtt-status/testing/broker'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { freePort } from '@mqtt-status/testing/free-port'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { CALM, kept, probeOf, world } from './stage.ts'
import { NOTHING } from './world.ts'

const CLIENT = 'mqtt-status-0b7d3c1e-a'
const ALLOW = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535] as const] }

test('scenario 5: a server that is silent is connect_timeout, and the socket is closed', async () => {
  const silent = kept(await ScriptedBroker.start({}))
  const it = world({ timing: CALM })
  const askedAt = performance.now()
  it.add('a', { port: silent.port })
  await it.status('a', 'reconnecting', 'connect_timeout')
  expect(performance.now() - askedAt).toBeGreaterThan(900)
  await until(() => silent.sockets === 0)
})

test('a broker that accepts the client but never answers the subscription is not connected', async () => {
  const broker = kept(
    await ScriptedBroker.start({ onConnect: (connection) => connection.connack(0) }),
  )
  const it = world({ timing: CALM })
  it.add('a', { port: broker.port })
  await it.status('a', 'reconnecting', 'connect_timeout')
  expect(it.written).not.toContain('a connected/ok')
})

test.each(['drop', 'up-drop'] as const)(
  'scenario 6: a black hole (%s) is found by the keepalive, and messages flow again after it',
  async (mode) => {
    const broker = kept(await Broker.start())
    const proxy = kept(await FaultProxy.start(broker.port))
    const it = world({ activityFlushMs: 100 })
    it.add('a', { port: proxy.port, keepaliveS: 1 })
    await it.status('a', 'connected')
    proxy.mode = mode
    await it.status('a', 'reconnecting', 'keepalive_timeout')
    proxy.mode = 'pass'
    await it.status('a', 'connected')
    await broker.publish('plant/7', 'alive')
    await until(() => it.activity.some(({ id }) => id === 'a'), { what: 'a message to be seen' })
    await until(() => it.row('a').device === 'online')
  },
)

test('a check of a connection that is up is ok, and a check of a row of another node is null', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  expect(await it.supervisor.check('a')).toMatchObject({ ok: true, reason: null })
  expect(await it.supervisor.check('nowhere')).toBeNull()
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
  expect(await it.supervisor.check('a')).toMatchObject({ ok: false, reason: 'command' })
})

test('scenario 7: a check finds a black hole within 5 s, long before the keepalive, and dials anew', async () => {
  const broker = kept(await Broker.start())
  const proxy = kept(await FaultProxy.start(broker.port))
  const it = world()
  it.add('a', { port: proxy.port, keepaliveS: 600 })
  await it.status('a', 'connected')
  proxy.mode = 'drop'
  const [first, second] = await Promise.all([it.supervisor.check('a'), it.supervisor.check('a')])
  expect(first).toMatchObject({ ok: false, reason: 'keepalive_timeout' })
  expect(second).toMatchObject({ ok: false })
  expect(first?.tookMs).toBeLessThan(10_000)
  await it.status('a', 'reconnecting', 'keepalive_timeout')
  proxy.mode = 'pass'
  await it.status('a', 'connected')
})

test('scenario 14: a broker that denies a topic in silence is connected, and the device becomes stale', async () => {
  const broker = kept(await Mosquitto.start({ acl: ['topic readwrite allowed/#'] }))
  const it = world()
  const heard = { device: 'online', lastMessageAgeMs: 2_500 } as const
  it.add('a', { port: broker.port, topics: ['denied/#'], expectedIntervalS: 1 }, heard)
  await it.status('a', 'connected')
  await until(() => it.row('a').device === 'stale')
  expect(it.row('a').status).toBe('connected')
})

test('scenario 19: one write has the status of a lost connection and the state of its device', async () => {
  const broker = kept(await ScriptedBroker.start(WILLING))
  const it = world({ timing: CALM })
  it.add('a', { port: broker.port, availability: { topic: 'plant/7/status' } })
  await it.status('a', 'connected')
  expect(it.row('a').device).toBe('unknown')
  broker.connections[0]?.publish('plant/7/status', 'online', true)
  await until(() => it.row('a').device === 'online')
  expect(it.activity).toEqual([])
  broker.connections[0]?.publish('plant/7/status', 'offline')
  await until(() => it.row('a').device === 'offline')
  broker.connections[0]?.publish('plant/7/data', '21.5')
  await it.supervisor.check('a')
  broker.connections[0]?.socket.destroy()
  await it.status('a', 'reconnecting')
  expect(it.writes.at(-1)).toMatchObject({ status: 'reconnecting', device: 'stale' })
})

test('scenario 19: messages are written in batches, retained ones never, and the last ones at a stop', async () => {
  const broker = kept(await ScriptedBroker.start(WILLING))
  const it = world()
  it.add('a', { port: broker.port })
  it.add('b', { port: broker.port })
  await it.status('a', 'connected')
  await it.status('b', 'connected')
  const [one, two] = broker.connections
  one?.publish('plant/1', 'kept', true)
  for (let i = 0; i < 100; i++) two?.publish('plant/2', String(i))
  await until(() => ['a', 'b'].some((id) => it.row(id).device === 'online'))
  expect(it.activity).toEqual([])
  await it.supervisor.stop()
  expect(it.activity).toHaveLength(1)
  expect(it.activity[0]?.ageMs).toBeGreaterThanOrEqual(0)
})

test('a test dials with a client id of its own, and leaves no session behind', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  const probe = probeOf({ allow: ALLOW, connectTimeoutMs: 1_000 })
  const results = await Promise.all(
    Array.from({ length: 10 }, () =>
      probe.run({ stored: { ...NOTHING, port: broker.port, clientId: CLIENT }, site: 's1' }),
    ),
  )
  expect(results.every(({ ok }) => ok)).toBe(true)
  await until(() => broker.sockets === 1)
  expect(broker.connects(CLIENT)).toBe(1)
})

test('a test returns the reason: settings, guard, credentials, silence, a topic', async () => {
  const silent = kept(await ScriptedBroker.start({}))
  const strict = kept(await Broker.start({ connack: () => 5 }))
  const picky = kept(await Broker.start({ maySubscribe: () => false }))
  const probe = probeOf({ allow: ALLOW, connectTimeoutMs: 500 })
  const reason = async (change: object): Promise<string | null> =>
    (await probe.run({ stored: { ...NOTHING, ...change }, site: 's1' })).reason
  expect(await reason({ port: 0 })).toBe('config_invalid')
  expect(await reason({ host: '10.0.0.1', port: 1883 })).toBe('address_blocked')
  expect(await reason({ port: await freePort() })).toBe('connection_refused')
  expect(await reason({ port: strict.port })).toBe('not_authorized')
  expect(await reason({ port: silent.port })).toBe('connect_timeout')
  expect(await reason({ port: picky.port })).toBe('subscription_denied')
})

test('a test whose request is closed ends at once', async () => {
  const silent = kept(await ScriptedBroker.start({}))
  const controller = new AbortController()
  const probe = probeOf({ allow: ALLOW })
  const result = probe.run({
    stored: { ...NOTHING, port: silent.port },
    site: 's1',
    signal: controller.signal,
  })
  await until(() => silent.sockets === 1)
  controller.abort()
  expect(await result).toMatchObject({ ok: false, reason: 'connect_timeout' })
  await until(() => silent.sockets === 0)
})
