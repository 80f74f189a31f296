import { Broker } from '@mqtt-status/testing/broker'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import type { Script } from '@mqtt-status/testing/scripted-broker'
import { expect, test } from 'vitest'
import { CALM, kept, probeOf, world } from './stage.ts'
import { NOTHING } from './world.ts'

const ALLOW = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535] as const] }
const TWENTY = Array.from({ length: 20 }, (_, i) => `plant/${i}`)

/** Closes without a word on more than eight topic filters in one SUBSCRIBE, and on a forbidden one, as AWS IoT does. */
function strict(forbidden: string, asked: string[][]): Script {
  return {
    ...WILLING,
    onSubscribe: (connection, packet) => {
      const topics = packet.subscriptions.map(({ topic }) => topic)
      asked.push(topics)
      if (topics.length > 8 || topics.includes(forbidden)) connection.socket.end()
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
  const broker = kept(await ScriptedBroker.start(strict('none', asked)))
  const it = world()
  it.add('a', { port: broker.port, topics: TWENTY })
  await it.status('a', 'connected')
  expect(asked).toEqual([TWENTY.slice(0, 8), TWENTY.slice(8, 16), TWENTY.slice(16)])
})

test.each([4, 5])(
  'a broker of MQTT %i that closes on a subscription is temporary, and the detail names the topics',
  async (protocolVersion) => {
    const broker = kept(await ScriptedBroker.start(strict('plant/17', [])))
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
    expect(result).toMatchObject({ ok: false, reason: 'closed_by_broker', detail })
  },
)

test('a DISCONNECT during a subscription keeps its reason and its words', async () => {
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
