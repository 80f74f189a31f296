import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { Broker } from '@mqtt-status/testing/broker'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { freePort } from '@mqtt-status/testing/free-port'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { World } from './world.ts'

const stops: (() => Promise<void>)[] = []

/** Ends it after the test, in the order of the tests' own needs: the supervisor first. */
function kept<T extends { stop(): Promise<void> }>(thing: T): T {
  stops.push(() => thing.stop())
  return thing
}

function world(...options: ConstructorParameters<typeof World>): World {
  const made = new World(...options)
  kept(made.supervisor)
  return made
}

function resources(kind: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === kind).length
}

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
  // The sockets of dials are clients; TCPServerWrap and pipes are vitest's own.
  await until(() => resources('TCPSocketWrap') === 0, { what: 'all sockets to be closed' })
})

test('1: a connect command is connecting, then connected, and answered by exactly two writes', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  expect(it.written).toEqual(['a connecting/command', 'a connected/ok'])
  expect(it.row('a').observedGeneration).toBe(1)
  expect(broker.connects('mqtt-status-0b7d3c1e-a')).toBe(1)
})

test.each([4, 5])(
  '2: wrong credentials over MQTT %i are failed after three tries, and mended by an edit',
  async (version) => {
    const [code, other] = version === 4 ? [4, 5] : [134, 135]
    let good = false
    const broker = kept(
      await ScriptedBroker.start({
        onConnect: (connection, _packet, before) =>
          connection.connack(good ? 0 : before === 0 ? other! : code!),
      }),
    )
    const it = world()
    it.add('a', { port: broker.port, protocolVersion: version, topics: null })
    await it.status('a', 'failed', 'bad_credentials')
    expect(broker.dials).toHaveLength(3)
    // Writes of a moment are gathered, so one in between may be skipped; the first and the last never are.
    expect([it.written.at(0), it.written.at(-1)]).toEqual([
      'a connecting/command',
      'a failed/bad_credentials',
    ])
    good = true
    it.edit('a', (row) => ({
      ...row,
      dial: { ...(row.dial as object), username: 'right' } as typeof row.dial,
    }))
    await it.status('a', 'connected')
  },
)

test('3: a broker that is unavailable or busy for a while is waited for', async () => {
  const codes = [3, 3, 0]
  const broker = kept(
    await ScriptedBroker.start({
      onConnect: (connection, _packet, before) => connection.connack(codes[before] ?? 0),
    }),
  )
  const it = world()
  it.add('a', { port: broker.port, topics: null })
  await it.status('a', 'connected')
  // Writes of a moment are gathered, so the outage may be skipped; how it ends never is.
  expect([it.written.at(0), it.written.at(-1)]).toEqual(['a connecting/command', 'a connected/ok'])
})

test('4: nobody listens: connection_refused', async () => {
  const it = world()
  it.add('a', { port: await freePort() })
  await it.status('a', 'reconnecting', 'connection_refused')
})

test('4: a name that does not exist: dns_not_found', async () => {
  const lookup = () =>
    Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND nowhere'), { code: 'ENOTFOUND' }))
  const it = world({ lookup })
  it.add('a', { host: 'nowhere.invalid', port: 1883 })
  await it.status('a', 'reconnecting', 'dns_not_found')
})

test('4: a web server is not MQTT, and the socket is closed', async () => {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  stops.push(() => new Promise((resolve) => server.close(() => resolve())))
  await until(() => server.listening)
  const it = world()
  it.add('a', { port: (server.address() as AddressInfo).port })
  await it.status('a', 'failed', 'not_mqtt')
})

test('4: a server that speaks first and something else is not MQTT', async () => {
  const server = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .write('SSH-2.0-OpenSSH_9.2\r\n'),
  )
  server.listen(0, '127.0.0.1')
  stops.push(() => new Promise((resolve) => server.close(() => resolve())))
  await until(() => server.listening)
  const it = world()
  it.add('a', { port: (server.address() as AddressInfo).port })
  await it.status('a', 'failed', 'not_mqtt')
})

test('4: TLS to a plain port is a failure with one reason, and the process lives', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port, protocol: 'mqtts' })
  await until(() => it.written.some((line) => line.startsWith('a reconnecting/')))
  expect(['connection_reset', 'closed_by_broker']).toContain(it.writes.at(-1)?.reason)
})

test('6: a black hole is found by the keepalive, and after it messages flow again', async () => {
  const broker = kept(await Broker.start())
  const proxy = kept(await FaultProxy.start(broker.port))
  const it = world()
  it.add('a', { port: proxy.port, keepaliveS: 1 })
  await it.status('a', 'connected')
  proxy.mode = 'drop'
  await it.status('a', 'reconnecting', 'keepalive_timeout')
  proxy.mode = 'pass'
  await it.status('a', 'connected')
  expect(broker.connects('mqtt-status-0b7d3c1e-a')).toBe(2)
})

test('8: a broker that dies and comes back costs two writes a connection', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  const ids = Array.from({ length: 50 }, (_, i) => `c${i}`)
  for (const id of ids) it.add(id, { port: broker.port })
  for (const id of ids) await it.status(id, 'connected')
  it.written.length = 0
  await broker.kill()
  for (const id of ids) await it.status(id, 'reconnecting')
  await until(() => it.written.length >= ids.length)
  await broker.restart()
  await until(() => it.written.length === 2 * ids.length, { what: 'all to be up again' })
  for (const id of ids) expect(it.row(id).status).toBe('connected')
})

test('9: a foreign client that takes over again and again is a conflict of client ids', async () => {
  const broker = kept(
    await ScriptedBroker.start({
      onConnect: (connection) => {
        connection.connack(0)
        setTimeout(() => connection.socket.destroy(), 20)
      },
    }),
  )
  const it = world()
  it.add('a', { port: broker.port, topics: null })
  await it.status('a', 'reconnecting', 'client_id_conflict')
})

test.each([
  [139, 'server_shutting_down'],
  [142, 'session_taken_over'],
  [151, 'quota'],
  [152, 'admin_action'],
  [157, 'server_moved'],
])(
  '10: DISCONNECT %i leaves connected at once, although the socket stays open: %s',
  async (reasonCode, reason) => {
    const broker = kept(
      await ScriptedBroker.start({
        onConnect: (connection, _packet, before) => {
          // Later dials hear nothing, so that the status stays as the loss left it.
          if (before > 0) return
          connection.connack(0)
          setTimeout(() => connection.send({ cmd: 'disconnect', reasonCode }), 20)
        },
      }),
    )
    const it = world()
    it.add('a', { port: broker.port, protocolVersion: 5, topics: null })
    await it.status('a', 'reconnecting', reason)
  },
)

test('11: disconnect while connected says DISCONNECT', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
  await until(() => broker.disconnects('mqtt-status-0b7d3c1e-a') === 1)
  expect(it.row('a').observedGeneration).toBe(2)
})

test('11: disconnect while the broker is silent, gone or black-holed ends disconnected too', async () => {
  const silent = kept(await ScriptedBroker.start({}))
  const broker = kept(await Broker.start())
  const proxy = kept(await FaultProxy.start(broker.port))
  const it = world()
  it.add('silent', { port: silent.port })
  it.add('gone', { port: await freePort() })
  it.add('hole', { port: proxy.port, keepaliveS: 60 })
  await it.status('hole', 'connected')
  await it.status('gone', 'reconnecting')
  await until(() => silent.dials.length === 1)
  proxy.mode = 'drop'
  const askedAt = performance.now()
  for (const id of ['silent', 'gone', 'hole']) it.command(id, 'disconnect')
  for (const id of ['silent', 'gone', 'hole']) await it.status(id, 'disconnected')
  expect(performance.now() - askedAt).toBeLessThan(2_500 + 500)
  await until(() => silent.sockets === 0)
})

test('12: connect, disconnect, connect at once: the last one counts, over one socket', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  it.command('a', 'disconnect')
  it.command('a', 'connect')
  await until(() => it.row('a').status === 'connected' && it.row('a').observedGeneration === 3)
  await until(() => broker.sockets === 1)
})

test('reconnect closes and dials anew although it is connected', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  it.command('a', 'reconnect')
  await until(
    () => broker.connects('mqtt-status-0b7d3c1e-a') === 2 && it.row('a').status === 'connected',
  )
  expect(broker.disconnects('mqtt-status-0b7d3c1e-a')).toBe(1)
})

test('13: other settings while connected: the old socket is closed, the new host is dialled', async () => {
  const [first, second] = [kept(await Broker.start()), kept(await Broker.start())]
  const it = world()
  it.add('a', { port: first.port })
  await it.status('a', 'connected')
  it.edit('a', (row) => ({ ...row, dial: { ...row.dial, port: second.port } }))
  await until(() => second.sockets === 1 && it.row('a').status === 'connected')
  await until(() => first.sockets === 0)
})

test('14: a topic that is refused is connected with subscription_denied', async () => {
  const broker = kept(await Broker.start({ maySubscribe: (topic) => topic !== 'secret/#' }))
  const it = world()
  it.add('a', { port: broker.port, topics: ['plant/#', 'secret/#'] })
  await it.status('a', 'connected', 'subscription_denied')
  expect(it.writes.at(-1)).toMatchObject({
    subscriptionsOk: false,
    mqttReasonCode: 128,
    detail: expect.stringContaining('secret/#') as string,
  })
})

test.each([
  ['keepaliveS: expected', { keepaliveS: 70_000 }],
  ['port: expected', { port: 0 }],
  ['host: expected', { host: null }],
  ['host: expected', { host: 'broker:1883/x' }],
  ['protocol: expected', { protocol: 'gopher' }],
  ['protocolVersion: expected', { protocolVersion: 6 }],
  ['clientId: expected', { clientId: 'a\0b' }],
  ['tls.ca: expected', { protocol: 'mqtts', tls: { ca: 'not a certificate' } }],
  ['topics.0: expected', { topics: ['a/#/b'] }],
  ['topics: expected', { topics: 'a' }],
])(
  '15: an impossible row becomes failed/config_invalid that names the field: %s',
  async (detail, dial) => {
    const broker = kept(await Broker.start())
    const it = world()
    it.add('bad', { port: broker.port, ...dial })
    it.add('good', { port: broker.port })
    await it.status('bad', 'failed', 'config_invalid')
    expect(it.writes.findLast(({ id }) => id === 'bad')?.detail).toContain(detail)
    await it.status('good', 'connected')
    expect(broker.sockets).toBe(1)
  },
)

test.each([
  '127.0.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '169.254.169.254',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '0.0.0.0',
  '10.0.0.1',
  '192.168.1.1',
  '224.0.0.1',
  'fd00:ec2::254',
  '100.100.100.200',
  'fe80::1',
  'rebound.example',
  '2130706433',
  '0x7f.1',
])('20: %s is not dialled unless it is allowed', async (host) => {
  const trap = kept(await ScriptedBroker.start({}))
  // What the system resolver makes of the odd spellings, and of a name that leads inside.
  const lookup = () =>
    Promise.resolve([
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  const it = world({ allow: { cidrs: [], hosts: [], ports: [[1, 65_535]] }, lookup })
  it.add('a', { host, port: trap.port })
  await it.status('a', 'failed', 'address_blocked')
  expect(trap.sockets).toBe(0)
  expect(it.writes.at(-1)?.detail).not.toContain('127.0.0.1')
  // What may not be dialled can still be switched off.
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
})

test('20: a port that is not allowed is not dialled', async () => {
  const it = world({ allow: { cidrs: ['127.0.0.0/8'], hosts: [], ports: [1883, [9_000, 9_010]] } })
  it.add('a', { port: 22 })
  await it.status('a', 'failed', 'address_blocked')
})

test('20: an allowed name may lead inside', async () => {
  const broker = kept(await Broker.start())
  const lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  const it = world({
    allow: { cidrs: [], hosts: ['Broker.internal'], ports: [[1, 65_535]] },
    lookup,
  })
  it.add('a', { host: 'broker.internal', port: broker.port })
  await it.status('a', 'connected')
})

test('22: a name that takes for ever to resolve delays nobody else', async () => {
  const broker = kept(await Broker.start())
  const lookup = (): Promise<never> => new Promise(() => undefined)
  const it = world({ lookup })
  it.add('slow', { host: 'slow.example', port: 1883 })
  for (let i = 0; i < 20; i++) it.add(`c${i}`, { port: broker.port })
  for (let i = 0; i < 20; i++) await it.status(`c${i}`, 'connected')
  it.command('slow', 'disconnect')
  await it.status('slow', 'disconnected')
})

test('a row that is deleted, or not managed any more, is let go without a word', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  it.add('b', { port: broker.port })
  await it.status('a', 'connected')
  await it.status('b', 'connected')
  const before = it.writes.length
  it.remove('a')
  it.edit('b', (row) => ({ ...row, managed: false }))
  await until(() => broker.sockets === 0)
  expect(it.supervisor.size).toBe(0)
  expect(it.writes.length).toBe(before)
})

test('a row that another instance has taken over is let go at the first write', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  it.steal('a')
  await broker.restart()
  await until(() => it.supervisor.size === 0)
  expect(it.row('a').status).toBe('connected')
})

test('17: while the database is away what is up stays up, nothing is dialled, and statuses are right afterwards', async () => {
  const [kept1, lost] = [kept(await Broker.start()), kept(await Broker.start())]
  const it = world()
  it.add('a', { port: kept1.port })
  it.add('b', { port: lost.port })
  await it.status('a', 'connected')
  await it.status('b', 'connected')
  it.reachable = false
  await lost.restart()
  await until(() => lost.sockets === 0)
  it.written.length = 0
  it.reachable = true
  await until(() => it.written.includes('b connected/ok'))
  expect(kept1.connects('mqtt-status-0b7d3c1e-a')).toBe(1)
  expect(lost.connects('mqtt-status-0b7d3c1e-b')).toBe(2)
})

test('after a start what the table says is checked: wished up is dialled, wished down is set right', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('up', { port: broker.port }, { status: 'connected', observedGeneration: 1 })
  it.add(
    'down',
    { port: broker.port },
    { desired: 'disconnected', status: 'connected', observedGeneration: 1 },
  )
  it.add('off', { port: broker.port }, { desired: 'disconnected', observedGeneration: 1 })
  await it.status('down', 'disconnected')
  await until(() => it.written.includes('up connected/ok'))
  // By the word of whoever kept it before: shown to nobody as long as it turns out to be true.
  expect(it.written.filter((line) => line.startsWith('up'))).toEqual(['up connected/ok'])
  expect(it.written.filter((line) => line.startsWith('off'))).toEqual([])
})

test('stop says DISCONNECT everywhere and writes nothing', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  const before = it.writes.length
  await it.supervisor.stop()
  await until(() => broker.sockets === 0)
  expect(broker.disconnects('mqtt-status-0b7d3c1e-a')).toBe(1)
  expect(it.writes.length).toBe(before)
})
