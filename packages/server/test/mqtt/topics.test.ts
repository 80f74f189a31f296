import { Broker } from '@mqtt-status/testing/broker'
import { expect, test } from 'vitest'
import { kept, world } from './stage.ts'

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
