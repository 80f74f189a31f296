import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Broker } from '@mqtt-status/testing/broker'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { Desk, PLANT, refusal } from './desk.ts'

/** Public addresses and the default ports only. */
const STRICT = { MQTT_ALLOW_CIDRS: '', MQTT_ALLOW_PORTS: '1883,8883' }

let desk: Desk

afterEach(async () => {
  await desk.close()
})

test.each([
  '127.0.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '169.254.169.254',
  '64:ff9b::7f00:1',
  '10.0.0.1',
  '0.0.0.0',
  'localhost',
  '2130706433',
  '0177.0.0.1',
])('scenario 20: %s can neither be saved nor tested', async (host) => {
  desk = await Desk.open(STRICT)
  const row = { ...PLANT, host }
  expect(refusal(await desk.call('POST /connections', row))).toEqual({
    code: '422 validation',
    fields: ['host address_blocked'],
  })
  expect((await desk.call('POST /connections/test', row)).body).toMatchObject({
    ok: false,
    reason: 'address_blocked',
  })
  expect(await desk.database.sql`select from connections`).toHaveLength(0)
})

test('scenario 20: a port that is not meant for MQTT is refused by name', async () => {
  desk = await Desk.open(STRICT)
  const row = { ...PLANT, host: '203.0.113.7', port: 22 }
  expect(refusal(await desk.call('POST /connections', row)).fields).toEqual([
    'port address_blocked',
  ])
})

test('scenario 20: no packet reaches a trap, whatever is tried', async () => {
  let packets = 0
  const trap = createServer((socket) => {
    packets++
    socket.destroy()
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  const { port } = trap.address() as AddressInfo
  try {
    desk = await Desk.open({ ...STRICT, MQTT_ALLOW_PORTS: '1-65535', SUPERVISOR: 'on' })
    await desk.call('POST /connections', { ...PLANT, port, desired: 'connected' })
    await desk.call('POST /connections/test', { ...PLANT, port })
    await desk.database.sql`
      insert into connections (id, site_id, name, host, port, desired)
      values ('hand', 's1', 'By hand', 'localhost', ${port}, 'connected')`
    await until(async () => {
      const [row] = await desk.database.sql`select reason from connections where id = 'hand'`
      return row?.['reason'] === 'address_blocked'
    })
    expect(packets).toBe(0)
  } finally {
    trap.close()
  }
})

test('scenario 20: a connection that has become forbidden can be switched off, renamed and deleted, and no edit that dials is saved', async () => {
  desk = await Desk.open(STRICT)
  await desk.database.sql`
    insert into connections (id, site_id, name, host, port, desired)
    values ('plant-7', 's1', 'Old', '127.0.0.1', 1883, 'connected')`
  expect(refusal(await desk.call('PATCH /connections/plant-7', { topics: ['x'] })).fields).toEqual([
    'host address_blocked',
  ])
  const off = await desk.call('PATCH /connections/plant-7', {
    desired: 'disconnected',
    name: 'Older',
  })
  expect(off.body).toMatchObject({ desired: 'disconnected', name: 'Older' })
  expect(
    refusal(await desk.call('PATCH /connections/plant-7', { desired: 'connected' })).fields,
  ).toEqual(['host address_blocked'])
  expect((await desk.call('DELETE /connections/plant-7')).status).toBe(204)
})

test('a test dials once with the settings and stores nothing', async () => {
  const broker = await Broker.start({ connack: ({ username }) => (username === 'good' ? 0 : 4) })
  try {
    desk = await Desk.open()
    const row = { protocol: 'mqtt', host: '127.0.0.1', port: broker.port }
    const good = await desk.call('POST /connections/test', {
      ...row,
      username: 'good',
      password: 'x',
    })
    expect(good.body).toEqual({
      ok: true,
      reason: null,
      detail: null,
      tookMs: expect.any(Number) as number,
    })
    const bad = await desk.call('POST /connections/test', {
      ...row,
      username: 'bad',
      password: 'x',
    })
    expect(bad.body).toMatchObject({ ok: false, reason: 'bad_credentials' })
    expect(refusal(await desk.call('POST /connections/test', { ...row, port: 0 })).fields).toEqual([
      'port range',
    ])
    await until(() => broker.sockets === 0)
    expect(await desk.database.sql`select from connections`).toHaveLength(0)
  } finally {
    await broker.stop()
  }
})

test('each caller has a limit of its own for tests', async () => {
  desk = await Desk.open(STRICT)
  const codes = new Set<number>()
  for (let i = 0; i < 21; i++) codes.add((await desk.call('POST /connections/test', PLANT)).status)
  expect([...codes]).toEqual([200, 429])
  const refused = await desk.call('POST /connections/test', PLANT)
  expect(refusal(refused).code).toBe('429 rate_limited')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  const other = await desk.token({ subject: 'other' })
  expect((await desk.call('POST /connections/test', PLANT, other)).status).toBe(200)
})
