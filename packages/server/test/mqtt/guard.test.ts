import { Broker } from '@mqtt-status/testing/broker'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { kept, world } from './stage.ts'

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
])('scenario 20: %s is not dialled unless it is allowed', async (host) => {
  const trap = kept(await ScriptedBroker.start({}))
  // What the system resolver makes of the odd spellings, and of a name that leads inside.
  const lookup = () =>
    Promise.resolve([
      { address: '10.0.0.7', family: 4 },
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

test('scenario 20: a port that is not allowed is not dialled', async () => {
  const it = world({ allow: { cidrs: ['127.0.0.0/8'], hosts: [], ports: [1883, [9_000, 9_010]] } })
  it.add('a', { port: 22 })
  await it.status('a', 'failed', 'address_blocked')
})

test('scenario 20: an allowed name may resolve to a private address', async () => {
  const broker = kept(await Broker.start())
  const lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  const it = world({
    allow: { cidrs: [], hosts: ['Broker.internal'], ports: [[1, 65_535]] },
    lookup,
  })
  it.add('a', { host: 'broker.internal', port: broker.port })
  await it.status('a', 'connected')
})

test('scenario 22: a name that is never resolved delays no other dial, to a name or an address', async () => {
  const broker = kept(await Broker.start())
  const lookup = (host: string): Promise<readonly { address: string; family: number }[]> =>
    host === 'slow.example'
      ? new Promise(() => undefined)
      : Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  const it = world({ lookup })
  for (let i = 0; i < 20; i++) it.add(`slow${i}`, { host: 'slow.example', port: 1883 })
  for (let i = 0; i < 100; i++)
    it.add(`c${i}`, { port: broker.port, host: i % 2 === 0 ? '127.0.0.1' : 'broker.example' })
  for (let i = 0; i < 100; i++) await it.status(`c${i}`, 'connected')
  it.command('slow0', 'disconnect')
  await it.status('slow0', 'disconnected')
})

test('scenario 22: brokers that never answer leave places for the others', async () => {
  const silent = kept(await ScriptedBroker.start({}))
  const broker = kept(await Broker.start())
  const it = world({ dialConcurrency: 2, connectTimeoutMs: 20_000 })
  for (let i = 0; i < 10; i++) it.add(`silent${i}`, { port: silent.port })
  await until(() => silent.sockets > 0)
  it.add('a', { port: broker.port })
  await it.status('a', 'connected')
})
