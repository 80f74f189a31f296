import { Broker } from '@mqtt-status/testing/broker'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { createLog } from '../../src/log.ts'
import { kept, world } from './stage.ts'

test('scenario 6: a black hole is found by the keepalive, and after it messages flow again', async () => {
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

test('scenario 8: an outage of a broker causes two writes a connection', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  const ids = Array.from({ length: 200 }, (_, i) => `c${i}`)
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

test('scenario 9: a foreign client that takes over again and again is a conflict of client ids', async () => {
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
  'scenario 10: DISCONNECT %i leaves connected at once, although the socket stays open: %s',
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

test('a node closes a row that another node has taken over at its first write', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  it.steal('a')
  await broker.restart()
  await until(() => it.supervisor.size === 0)
  expect(it.row('a').status).toBe('connected')
})

test('scenario 17: while the database is away connections stay up, no row is dialled, and statuses are correct afterwards', async () => {
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

test('the log has one line for the connections of a broker that are established, lost and back', async () => {
  const broker = kept(await Broker.start())
  const lines: Record<string, unknown>[] = []
  const log = createLog(
    { level: 'info', format: 'json' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  )
  const it = world({ log })
  const ids = Array.from({ length: 50 }, (_, i) => `c${i}`)
  for (const id of ids) it.add(id, { port: broker.port, username: 'planted', topics: ['a'] })
  for (const id of ids) await it.status(id, 'connected')
  await broker.kill()
  for (const id of ids) await it.status(id, 'reconnecting')
  const counted = (message: string): number =>
    lines
      .filter(({ msg }) => String(msg).includes(message))
      .reduce((sum, { count }) => sum + Number(count), 0)
  await until(() => counted('established') === ids.length && counted('interrupted') === ids.length)
  expect(lines.length).toBeLessThanOrEqual(6)
  for (const line of lines) expect(line).toMatchObject({ broker: `127.0.0.1:${broker.port}` })
  expect(lines.find(({ msg }) => String(msg).includes('interrupted'))).toMatchObject({
    level: 40,
    connections: expect.arrayContaining([expect.stringMatching(/^c\d+$/)]) as unknown,
  })
  expect(JSON.stringify(lines)).not.toContain('planted')
})
