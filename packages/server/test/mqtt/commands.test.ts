import { Broker } from '@mqtt-status/testing/broker'
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { freePort } from '@mqtt-status/testing/free-port'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { kept, world } from './stage.ts'

test('scenario 1: a connect command causes exactly two writes, connecting and connected', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  expect(it.written).toEqual(['a connecting/command', 'a connected/ok'])
  expect(it.row('a').observedGeneration).toBe(1)
  expect(broker.connects('mqtt-status-0b7d3c1e-a')).toBe(1)
})

test('scenario 11: disconnect while connected sends DISCONNECT', async () => {
  const broker = kept(await Broker.start())
  const it = world()
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
  it.command('a', 'disconnect')
  await it.status('a', 'disconnected')
  await until(() => broker.disconnects('mqtt-status-0b7d3c1e-a') === 1)
  expect(it.row('a').observedGeneration).toBe(2)
})

test('scenario 11: disconnect while the broker is silent, gone or black-holed ends disconnected too', async () => {
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

test('scenario 12: connect, disconnect, connect at once: the last command counts, over one socket', async () => {
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

test('scenario 13: other settings while connected: the old socket is closed, the new host is dialled', async () => {
  const [first, second] = [kept(await Broker.start()), kept(await Broker.start())]
  const it = world()
  it.add('a', { port: first.port })
  await it.status('a', 'connected')
  it.edit('a', (row) => ({ ...row, dial: { ...row.dial, port: second.port } }))
  await until(() => second.sockets === 1 && it.row('a').status === 'connected')
  await until(() => first.sockets === 0)
})

test('the server closes a row that is deleted, or not managed any more, without a write', async () => {
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

test('after a start the server dials rows that are desired connected, and corrects the status of all others', async () => {
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
  // The status is that of the former owner, so the supervisor writes nothing while it stays true.
  expect(it.written.filter((line) => line.startsWith('up'))).toEqual(['up connected/ok'])
  expect(it.written.filter((line) => line.startsWith('off'))).toEqual([])
})

test('stop sends DISCONNECT on every connection and writes nothing', async () => {
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
