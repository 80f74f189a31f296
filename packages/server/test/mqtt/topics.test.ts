import { Broker } from '@mqtt-status/testing/broker'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import type { Script } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { TIMING } from '../../src/mqtt/session/session-state.ts'
import { CALM, kept, probeOf, world } from './stage.ts'
import { NOTHING } from './world.ts'

const ALLOW = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535] as const] }
const TWENTY = Array.from({ length: 20 }, (_, i) => `plant/${i}`)

/** Closes the connection on more than eight topic filters in one SUBSCRIBE, and on a forbidden one, as AWS IoT does. */
function strict(forbidden: readonly string[], asked: string[][]): Script {
  return {
    ...WILLING,
    onSubscribe: (connection, packet) => {
      const topics = packet.subscriptions.map(({ topic }) => topic)
      asked.push(topics)
      if (topics.length > 8 || topics.some((topic) => forbidden.includes(topic)))
        connection.socket.end()
      else WILLING.onSubscribe?.(connection, packet)
    },
  }
}

test('scenario 14: a topic that is refused is connected with subscription_denied', async () => {
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

test('topics are subscribed in portions of eight, each answered before the next', async () => {
  const asked: string[][] = []
  const broker = kept(await ScriptedBroker.start(strict([], asked)))
  const it = world()
  it.add('a', { port: broker.port, topics: TWENTY })
  await it.status('a', 'connected')
  expect(asked).toEqual([TWENTY.slice(0, 8), TWENTY.slice(8, 16), TWENTY.slice(16)])
})

test.each([4, 5])(
  'a broker of MQTT %i that closes on a subscription is temporary, and the detail names the topics',
  async (protocolVersion) => {
    const broker = kept(await ScriptedBroker.start(strict(['plant/17'], [])))
    const dial = { port: broker.port, topics: TWENTY, protocolVersion }
    const detail =
      'The broker closed the connection while the server subscribed to plant/16, plant/17, plant/18, plant/19.'
    const it = world({ timing: CALM })
    it.add('a', dial)
    await it.status('a', 'reconnecting', 'closed_by_broker')
    expect(it.writes.at(-1)?.detail).toBe(detail)
    const result = await probeOf({ allow: ALLOW }).run({
      stored: { ...NOTHING, ...dial },
      site: 's1',
    })
    // A test dials on at once, and finds the culprit.
    expect(result).toMatchObject({
      ok: false,
      reason: 'subscription_denied',
      detail: 'The broker closes the connection on the topic plant/17; the server leaves it out.',
    })
  },
)

test('a DISCONNECT during a subscription keeps its reason and its text', async () => {
  const broker = kept(
    await ScriptedBroker.start({
      ...WILLING,
      onSubscribe: (connection) => {
        const properties = { reasonString: 'no such right' }
        connection.send({ cmd: 'disconnect', reasonCode: 135, properties })
        connection.socket.end()
      },
    }),
  )
  const it = world({ timing: CALM })
  it.add('a', { port: broker.port, topics: ['secret/#'], protocolVersion: 5 })
  await it.status('a', 'reconnecting', 'not_authorized')
  expect(it.writes.at(-1)?.detail).toBe(
    'The broker closed the connection while the server subscribed to secret/#. no such right',
  )
})

test('refused topics of several portions are all named', async () => {
  const refused = ['plant/3', 'plant/12']
  const broker = kept(await Broker.start({ maySubscribe: (topic) => !refused.includes(topic) }))
  const it = world()
  it.add('a', { port: broker.port, topics: TWENTY })
  await it.status('a', 'connected', 'subscription_denied')
  expect(it.writes.at(-1)?.detail).toBe('The broker refused the topics plant/3, plant/12.')
})

/** The server dials again at once while the search continues. */
const EAGER = { ...TIMING, transient: { baseMs: 1, capMs: 1 }, probeMs: 60_000 }

const SEVERAL = ['plant/0', 'plant/7', 'plant/8', 'plant/19']

/** However long the search is, it is two statuses after the first one, or one where it ends before the first is written. */
function expectSearch(written: readonly string[], reason: string): void {
  const searching = `a reconnecting/${reason}`
  expect(written.filter((status) => status !== searching)).toEqual([
    'a connecting/command',
    'a connected/subscription_denied',
  ])
  expect(written.length).toBeLessThanOrEqual(3)
}

test.each<readonly [name: string, forbidden: readonly string[], dials: number]>([
  ['one', ['plant/17'], 5],
  ['two beside each other', ['plant/2', 'plant/3'], 8],
  ['one of each portion', ['plant/4', 'plant/12', 'plant/18'], 17],
  ['several', SEVERAL, 24],
  ['every second one', TWENTY.filter((_, i) => i % 2 === 0), 48],
  ['all', TWENTY, 60],
])(
  'where a broker closes on %s of twenty topics, the others are subscribed, and these are named',
  async (_name, forbidden, dials) => {
    const asked: string[][] = []
    const broker = kept(await ScriptedBroker.start(strict(forbidden, asked)))
    const it = world({ timing: EAGER })
    it.add('a', { port: broker.port, topics: TWENTY })
    await it.status('a', 'connected', 'subscription_denied')
    for (const topic of forbidden) expect(it.writes.at(-1)?.detail).toContain(topic)
    expect(it.writes.at(-1)).toMatchObject({ subscriptionsOk: false })
    expectSearch(it.written, 'closed_by_broker')
    expect(broker.dials.length).toBeLessThanOrEqual(dials)
    const [connection] = broker.connections
    connection?.publish('plant/1', 'still there')
    await until(() => it.row('a').device === 'online')
  },
)

test('the server keeps the forbidden filters after a loss, and drops them with a command and with other settings', async () => {
  const asked: string[][] = []
  const forbidden = ['plant/1']
  const broker = kept(await ScriptedBroker.start(strict(forbidden, asked)))
  let nowMs = 0
  const it = world({ timing: EAGER, now: () => nowMs })
  it.add('a', { port: broker.port, topics: ['plant/0', 'plant/1'] })
  await it.status('a', 'connected', 'subscription_denied')
  const reconnected = async (change: () => void): Promise<number> => {
    const [before, writes] = [asked.length, it.writes.length]
    change()
    await until(() => it.writes.length > writes && it.row('a').status === 'connected')
    return asked.slice(before).filter((topics) => topics.includes('plant/1')).length
  }
  const lose = (): void => {
    nowMs += 60_000
    for (const { socket } of broker.connections) socket.destroy()
  }
  expect(await reconnected(lose)).toBe(0)
  expect(it.writes.at(-1)?.reason).toBe('subscription_denied')
  // After an hour the server subscribes to the filter again, and finds again that it is forbidden.
  const loseLater = (): void => {
    nowMs += 3_600_000
    lose()
  }
  expect(await reconnected(loseLater)).toBeGreaterThan(1)
  forbidden.length = 0
  expect(
    await reconnected(() => {
      it.command('a', 'reconnect')
    }),
  ).toBe(1)
  expect(it.writes.at(-1)?.reason).toBeNull()
  forbidden.push('plant/1')
  expect(
    await reconnected(() => {
      it.edit('a', (row) => ({ ...row, dial: { ...row.dial, topics: ['plant/1', 'plant/2'] } }))
    }),
  ).toBeGreaterThan(1)
})

test('no topic is left out where a broker closes during a subscription for another reason', async () => {
  let left = 5
  const broker = kept(
    await ScriptedBroker.start({
      ...WILLING,
      onSubscribe: (connection, packet) => {
        // At another place each time, as a broker that is being restarted does.
        if (left-- > 0 && packet.subscriptions.length > left % 3) connection.socket.end()
        else WILLING.onSubscribe?.(connection, packet)
      },
    }),
  )
  const it = world({ timing: EAGER })
  it.add('a', { port: broker.port, topics: TWENTY })
  await it.status('a', 'connected')
  expect(it.writes.at(-1)).toMatchObject({ reason: null, subscriptionsOk: true })
})

test('the server drops the forbidden filters where the connection without them is lost at once', async () => {
  // A broker in trouble: it closes two connections at SUBSCRIBE and a third one soon after CONNACK, and then works.
  const broker: ScriptedBroker = kept(
    await ScriptedBroker.start({
      onConnect: (connection, _packet, before) => {
        connection.connack(0)
        if (before === 2) connection.socket.end()
      },
      onSubscribe: (connection, packet) => {
        if (broker.dials.length <= 2) connection.socket.end()
        else WILLING.onSubscribe?.(connection, packet)
      },
    }),
  )
  const it = world({ timing: EAGER })
  it.add('a', { port: broker.port, topics: ['plant/1'] })
  await until(() => it.row('a').status === 'connected' && it.row('a').reason === null)
  expect(it.writes.at(-1)).toMatchObject({ reason: null, subscriptionsOk: true })
})

test('the server also searches where a broker closes with not_authorized, and the row does not become failed', async () => {
  const broker = kept(
    await ScriptedBroker.start({
      ...WILLING,
      onSubscribe: (connection, packet) => {
        if (packet.subscriptions.every(({ topic }) => topic !== 'plant/9')) {
          WILLING.onSubscribe?.(connection, packet)
          return
        }
        connection.send({ cmd: 'disconnect', reasonCode: 135 })
        connection.socket.end()
      },
    }),
  )
  const it = world({ timing: EAGER })
  it.add('a', { port: broker.port, topics: TWENTY, protocolVersion: 5 })
  await it.status('a', 'connected', 'subscription_denied')
  expectSearch(it.written, 'not_authorized')
})
