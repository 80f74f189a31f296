import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { Broker } from '@mqtt-status/testing/broker'
import { freePort } from '@mqtt-status/testing/free-port'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { atEnd, kept, world } from './stage.ts'

test.each([4, 5])(
  'scenario 2: a row with wrong credentials over MQTT %i is failed after three tries, and connects after an edit',
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

test('scenario 3: the server dials again until an unavailable or busy broker accepts it', async () => {
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

test('scenario 4: a port without a listener: connection_refused', async () => {
  const it = world()
  it.add('a', { port: await freePort() })
  await it.status('a', 'reconnecting', 'connection_refused')
})

test('scenario 4: a name that does not exist: dns_not_found', async () => {
  const lookup = () =>
    Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND nowhere'), { code: 'ENOTFOUND' }))
  const it = world({ lookup })
  it.add('a', { host: 'nowhere.invalid', port: 1883 })
  await it.status('a', 'reconnecting', 'dns_not_found')
})

test('scenario 4: a web server is not MQTT, and the socket is closed', async () => {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  atEnd(() => new Promise((resolve) => server.close(() => resolve())))
  await until(() => server.listening)
  const it = world()
  it.add('a', { port: (server.address() as AddressInfo).port })
  await it.status('a', 'failed', 'not_mqtt')
})

test('scenario 4: a server that sends a greeting of another protocol is not_mqtt', async () => {
  const server = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .write('SSH-2.0-OpenSSH_9.2\r\n'),
  )
  server.listen(0, '127.0.0.1')
  atEnd(() => new Promise((resolve) => server.close(() => resolve())))
  await until(() => server.listening)
  const it = world()
  it.add('a', { port: (server.address() as AddressInfo).port })
  await it.status('a', 'failed', 'not_mqtt')
})

test('scenario 4: TLS to a plain port is a failure with one reason, and the process lives', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port, protocol: 'mqtts' })
  await until(() => it.written.some((line) => line.startsWith('a reconnecting/')))
  expect(['connection_reset', 'closed_by_broker']).toContain(it.writes.at(-1)?.reason)
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
  'scenario 15: an impossible row becomes failed/config_invalid that names the field: %s',
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
