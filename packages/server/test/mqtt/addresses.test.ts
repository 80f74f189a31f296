/** Names that lead to several addresses, of which some are dead, silent, wrong or forbidden. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Authority } from '@mqtt-status/testing/certificates'
import { BlackHole } from '@mqtt-status/testing/black-hole'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import type { Script } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { atEnd, CALM, kept, probeOf, world } from './stage.ts'
import { NOTHING } from './world.ts'

const LOOPBACK = { cidrs: ['127.0.0.0/8', '::1/128'], hosts: [], ports: [[1, 65_535] as const] }
/** Accepts TCP connections and sends nothing. */
const SILENT: Script = {}

function leadsTo(...addresses: string[]) {
  return () =>
    Promise.resolve(
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
}

/** Brokers of one port at several addresses. */
async function listen(
  scripts: Readonly<Record<string, Script>>,
): Promise<Map<string, ScriptedBroker>> {
  const brokers = new Map<string, ScriptedBroker>()
  let port = 0
  for (const [host, script] of Object.entries(scripts)) {
    const broker = kept(await ScriptedBroker.start(script, port, host))
    port = broker.port
    brokers.set(host, broker)
  }
  return brokers
}

function portOf(brokers: ReadonlyMap<string, ScriptedBroker>): number {
  const [first] = brokers.values()
  return first?.port ?? 0
}

test.each([
  ['127.0.0.2', '127.0.0.1'],
  ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.1'],
  ['::1', '127.0.0.1'],
])('where nothing listens at the first address, the next one is connected: %s', async (...all) => {
  const brokers = await listen({ '127.0.0.1': WILLING })
  const it = world({ allow: LOOPBACK, lookup: leadsTo(...all) })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await it.status('a', 'connected')
  expect(it.written).toEqual(['a connecting/command', 'a connected/ok'])
})

test.each([
  ['mqtts', 4],
  ['ws', 5],
  ['wss', 4],
] as const)('the next address is connected over %s too', async (protocol, protocolVersion) => {
  const authority = await Authority.create()
  const broker = kept(
    await Mosquitto.start({
      ...(protocol === 'ws' ? {} : { tls: await authority.sign({ names: ['broker.example'] }) }),
      ...(protocol === 'mqtts' ? {} : { websockets: true }),
    }),
  )
  const it = world({ allow: LOOPBACK, lookup: leadsTo('127.0.0.2', '127.0.0.1') })
  const tls = protocol === 'ws' ? null : { ca: authority.cert }
  it.add('a', { protocol, host: 'broker.example', port: broker.port, tls, protocolVersion })
  await it.status('a', 'connected')
  expect(it.written).toEqual(['a connecting/command', 'a connected/ok'])
})

test('the next address connects long before the time-out of one that answers nothing', async () => {
  const brokers = await listen({ '127.0.0.1': WILLING })
  const hole = kept(await BlackHole.open(portOf(brokers), '127.0.0.2'))
  expect(hole).toBeDefined()
  const it = world({
    allow: LOOPBACK,
    lookup: leadsTo('127.0.0.2', '127.0.0.1'),
    connectTimeoutMs: 15_000,
  })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await it.status('a', 'connected')
  expect(it.written).toEqual(['a connecting/command', 'a connected/ok'])
})

test('addresses that answer nothing are connect_timeout, and a command ends the wait at once', async () => {
  const port = (await listen({ '127.0.0.1': SILENT })).get('127.0.0.1')?.port ?? 0
  for (const host of ['127.0.0.2', '127.0.0.3']) kept(await BlackHole.open(port, host))
  const it = world({
    allow: LOOPBACK,
    lookup: leadsTo('127.0.0.2', '127.0.0.3'),
    timing: CALM,
    connectTimeoutMs: 600,
  })
  it.add('a', { host: 'broker.example', port })
  await it.status('a', 'reconnecting', 'connect_timeout')
  expect(it.writes.at(-1)?.detail).toBe(
    'No address of the broker could be reached: 127.0.0.2 no answer, 127.0.0.3 no answer.',
  )
  it.command('a', 'reconnect')
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
})

test.each<readonly [name: string, Script]>([
  ['accepts TCP and is silent', SILENT],
  ['closes at once', { onSocket: ({ socket }) => socket.end() }],
  ['resets the connection', { onSocket: ({ socket }) => socket.resetAndDestroy() }],
  ['speaks something else', { onSocket: ({ socket }) => socket.write('SSH-2.0-OpenSSH_9.2\r\n') }],
  ['is not available', { onConnect: (connection) => connection.connack(3) }],
])('a node behind the name that %s is not tried again before the others', async (_name, script) => {
  const brokers = await listen({ '127.0.0.1': script, '127.0.0.2': WILLING })
  const it = world({
    allow: LOOPBACK,
    lookup: leadsTo('127.0.0.1', '127.0.0.2'),
    connectTimeoutMs: 500,
  })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await it.status('a', 'connected')
  expect(brokers.get('127.0.0.1')?.accepted).toBe(1)
  // It is remembered for the host: others do not run into it either.
  for (const id of ['b', 'c']) {
    it.add(id, { host: 'broker.example', port: portOf(brokers) })
    await it.status(id, 'connected')
  }
  expect(brokers.get('127.0.0.1')?.accepted).toBe(1)
})

test('a node whose certificate has expired is not tried again before the others', async () => {
  const authority = await Authority.create()
  const brokers = await listen({ '127.0.0.2': WILLING })
  const broker = kept(
    await Mosquitto.start({ tls: await authority.sign({ names: ['broker.example'] }) }),
  )
  const old = await authority.sign({
    names: ['broker.example'],
    notAfter: new Date(Date.now() - 3_600_000),
  })
  const server = createTlsServer(old).on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(broker.port, '127.0.0.2', resolve))
  atEnd(() => new Promise((resolve) => server.close(() => resolve())))
  const it = world({ allow: LOOPBACK, lookup: leadsTo('127.0.0.2', '127.0.0.1') })
  it.add('a', {
    protocol: 'mqtts',
    host: 'broker.example',
    port: broker.port,
    tls: { ca: authority.cert },
  })
  await it.status('a', 'connected')
  expect(brokers.size).toBe(1)
})

test('a dial tries one address of a broker that refuses the connection in MQTT', async () => {
  const refusing: Script = { onConnect: (connection) => connection.connack(5) }
  const brokers = await listen({ '127.0.0.1': refusing, '127.0.0.2': refusing })
  const it = world({ allow: LOOPBACK, lookup: leadsTo('127.0.0.1', '127.0.0.2') })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await it.status('a', 'failed', 'not_authorized')
  expect(brokers.get('127.0.0.1')?.accepted).toBe(3)
  expect(brokers.get('127.0.0.2')?.accepted).toBe(0)
})

test('a dial alternates between both families, IPv6 first, and each dial begins with another address', async () => {
  const seen: string[] = []
  const noting = (address: string): Script => ({
    onSocket: ({ socket }) => {
      seen.push(address)
      socket.end()
    },
  })
  const all = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '::1']
  const brokers = await listen(Object.fromEntries(all.map((address) => [address, noting(address)])))
  const it = world({ allow: LOOPBACK, lookup: leadsTo(...all) })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await until(() => seen.length >= 9)
  expect(seen.slice(0, 8)).toEqual([
    ...['::1', '127.0.0.1', '127.0.0.2', '127.0.0.3'],
    ...['::1', '127.0.0.1', '127.0.0.2', '127.0.0.3'],
  ])
})

test.each([
  ['the first', ['127.0.0.9', '127.0.0.1', '127.0.0.2']],
  ['the last', ['127.0.0.1', '127.0.0.2', '127.0.0.9']],
  ['one in the middle, and one of IPv6', ['127.0.0.1', '::1', '127.0.0.9', '127.0.0.2']],
])(
  'where %s of the addresses is forbidden it gets no packet, and the others are dialled',
  async (_name, all) => {
    const brokers = await listen({
      '127.0.0.1': SILENT,
      '127.0.0.2': WILLING,
      '127.0.0.9': WILLING,
      '::1': WILLING,
    })
    const it = world({
      allow: { cidrs: ['127.0.0.1/32', '127.0.0.2/32'], hosts: [], ports: [[1, 65_535]] },
      lookup: leadsTo(...all),
      connectTimeoutMs: 300,
    })
    it.add('a', { host: 'broker.example', port: portOf(brokers) })
    await it.status('a', 'connected')
    it.command('a', 'disconnect')
    await it.status('a', 'disconnected')
    expect(brokers.get('127.0.0.2')?.accepted).toBe(1)
    expect(brokers.get('127.0.0.9')?.accepted).toBe(0)
    expect(brokers.get('::1')?.accepted).toBe(0)
  },
)

test('where all addresses are forbidden none gets a packet', async () => {
  const brokers = await listen({ '127.0.0.9': WILLING, '::1': WILLING })
  const it = world({
    allow: { cidrs: ['127.0.0.1/32'], hosts: [], ports: [[1, 65_535]] },
    lookup: leadsTo('127.0.0.9', '::1', '10.0.0.1', 'not.an.address'),
  })
  it.add('a', { host: 'broker.example', port: portOf(brokers) })
  await it.status('a', 'failed', 'address_blocked')
  for (const broker of brokers.values()) expect(broker.accepted).toBe(0)
})

test('the detail has the failure of every address, and the reason is the most specific one', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await until(() => server.listening)
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  kept(await BlackHole.open(port, '127.0.0.3'))
  const it = world({
    allow: LOOPBACK,
    lookup: leadsTo('127.0.0.1', '::1', '127.0.0.3'),
    timing: CALM,
    connectTimeoutMs: 700,
  })
  it.add('a', { host: 'broker.example', port })
  await it.status('a', 'reconnecting', 'connection_refused')
  expect(it.writes.at(-1)?.detail).toBe(
    'No address of the broker could be reached: ::1 ECONNREFUSED, 127.0.0.1 ECONNREFUSED, 127.0.0.3 no answer.',
  )
})

test('a test of settings tries all addresses too, and no forbidden one', async () => {
  const brokers = await listen({ '127.0.0.3': WILLING, '127.0.0.9': WILLING })
  const probe = probeOf({
    allow: { cidrs: ['127.0.0.2/32', '127.0.0.3/32'], hosts: [], ports: [[1, 65_535]] },
    lookup: leadsTo('127.0.0.9', '127.0.0.2', '127.0.0.3'),
  })
  const result = await probe.run({
    stored: { ...NOTHING, host: 'broker.example', port: portOf(brokers) },
    site: 's1',
  })
  expect(result).toMatchObject({ ok: true, reason: null })
  expect(brokers.get('127.0.0.9')?.accepted).toBe(0)
})

test.each<readonly [name: string, Script]>([
  ['accepts TCP and is silent', SILENT],
  ['closes at once', { onSocket: ({ socket }) => socket.end() }],
  ['resets the connection', { onSocket: ({ socket }) => socket.resetAndDestroy() }],
  ['speaks something else', { onSocket: ({ socket }) => socket.write('SSH-2.0-OpenSSH_9.2\r\n') }],
  ['is not available', { onConnect: (connection) => connection.connack(3) }],
])('a test of settings passes over a node that %s, as the dials would', async (_name, script) => {
  const brokers = await listen({ '127.0.0.1': script, '127.0.0.2': WILLING })
  const probe = probeOf({
    allow: LOOPBACK,
    lookup: leadsTo('127.0.0.1', '127.0.0.2'),
    connectTimeoutMs: 500,
  })
  const stored = { ...NOTHING, host: 'broker.example', port: portOf(brokers) }
  expect(await probe.run({ stored, site: 's1' })).toMatchObject({ ok: true, reason: null })
  for (const broker of brokers.values()) expect(broker.accepted).toBe(1)
})

test.each<readonly [name: string, Script, reason: string]>([
  ['is silent', SILENT, 'connect_timeout'],
  ['closes', { onSocket: ({ socket }) => socket.end() }, 'closed_by_broker'],
  ['refuses the password', { onConnect: (connection) => connection.connack(4) }, 'bad_credentials'],
])('where every node %s, a test has the same reason as a dial', async (_name, script, reason) => {
  const brokers = await listen({ '127.0.0.1': script, '127.0.0.2': script })
  const lookup = leadsTo('127.0.0.1', '127.0.0.2')
  const stored = { ...NOTHING, host: 'broker.example', port: portOf(brokers) }
  const it = world({ allow: LOOPBACK, lookup, timing: CALM, connectTimeoutMs: 500 })
  it.add('a', stored)
  await it.status('a', 'reconnecting', reason)
  const probe = probeOf({ allow: LOOPBACK, lookup, connectTimeoutMs: 500 })
  expect(await probe.run({ stored, site: 's1' })).toMatchObject({ ok: false, reason })
})
