/** A page that defines the provider after all other elements, or never. */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusProvider } from '../../src/index.ts'
import { clientFor } from '../../src/index.ts'
import '../../src/define/card.development.ts'
import { mistakes } from './stage.ts'

it('elements inside a provider wait until it is defined, and show that in development', async () => {
  const provider = await fixture<MqttStatusProvider>(
    html` <mqtt-status-provider src="http://late.test" token-src="/token" share="tab">
      <mqtt-status-card connection-id="a" lang="en"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  const card = provider.querySelector('mqtt-status-card') as MqttStatusCard
  await waitUntil(() => mistakes(card).includes("import '@mqtt-status/widgets/define/provider'"))
  expect(card.link).to.equal(null)
  expect(card.matches(':state(loading)')).to.equal(true)
  await import('../../src/define/provider.ts')
  await waitUntil(() => !mistakes(card).includes('waits for the provider'), 'the mistake to go')
  const wanted = clientFor({ src: 'http://late.test', tokenSrc: '/token' })
  expect(provider.client).to.equal(wanted)
  expect(Reflect.get(Reflect.get(card, 'clients') as object, 'current')).to.equal(wanted)
  // A provider shows its own mistakes, too.
  await waitUntil(() => mistakes(provider).includes('share="tab" is not understood'))
  wanted.close()
})
