import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusProvider } from '../../src/index.ts'
import { clientFor } from '../../src/index.ts'
import '../../src/define.ts'
import { serverOfBundle } from '../../src/controllers/page-settings.ts'

function cardIn(element: Element): MqttStatusCard {
  return element.querySelector('mqtt-status-card') as MqttStatusCard
}

/** Where the card would ask; the client itself is not asked for anything. */
async function asks(card: MqttStatusCard, src: string): Promise<void> {
  await waitUntil(() => card.link !== null, 'the card to have a client')
  expect(clientFor({ src }).link.state).to.equal(card.link)
}

it('gives the elements inside it one client', async () => {
  const provider = await fixture<MqttStatusProvider>(
    html` <mqtt-status-provider src="http://one.test">
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  expect(provider.client).to.equal(clientFor({ src: 'http://one.test/' }))
  expect(getComputedStyle(provider).display).to.equal('contents')
  await asks(cardIn(provider), 'http://one.test')
})

it('is one client for the same server and identity, and another one for another identity', () => {
  expect(clientFor({ src: 'http://same.test' })).to.equal(clientFor({ src: 'http://same.test/' }))
  expect(clientFor({ src: 'http://same.test', tokenSrc: '/token' })).to.not.equal(
    clientFor({ src: 'http://same.test' }),
  )
  const getToken = () => 'x'
  expect(clientFor({ src: 'http://same.test', getToken })).to.equal(
    clientFor({ src: 'http://same.test', getToken }),
  )
})

it('is the default of the page for elements outside of it', async () => {
  const page = await fixture(
    html` <div>
      <mqtt-status-provider src="http://default.test"></mqtt-status-provider>
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </div>`,
  )
  await asks(cardIn(page), 'http://default.test')
})

it('reaches elements that were there first', async () => {
  const page = await fixture(
    html`<div><mqtt-status-card connection-id="a"></mqtt-status-card></div>`,
  )
  const card = cardIn(page)
  expect(card.link).to.equal(null)
  const provider = document.createElement('mqtt-status-provider')
  provider.setAttribute('src', 'http://late.test')
  page.append(provider)
  provider.append(card)
  await asks(card, 'http://late.test')
})

it('the element goes before the provider, the meta tag comes last', async () => {
  const meta = document.createElement('meta')
  meta.name = 'mqtt-status:src'
  meta.content = 'http://meta.test'
  document.head.append(meta)
  const alone = await fixture<MqttStatusCard>(
    html`<mqtt-status-card connection-id="a"></mqtt-status-card>`,
  )
  await asks(alone, 'http://meta.test')
  const provider = await fixture(
    html` <mqtt-status-provider src="http://two.test">
      <mqtt-status-card connection-id="a" src="http://own.test"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  await asks(cardIn(provider), 'http://own.test')
  meta.remove()
})

it('knows the server from the address of the bundle, and from no other', () => {
  expect(serverOfBundle('http://127.0.0.1:8001/widgets/mqtt-status.js')).to.equal(
    'http://127.0.0.1:8001/',
  )
  expect(serverOfBundle('https://x.test/base/widgets/1.2.3/mqtt-status.js?v=1')).to.equal(
    'https://x.test/base/',
  )
  expect(serverOfBundle('https://cdn.test/npm/@mqtt-status/widgets/cdn/mqtt-status.js')).to.equal(
    null,
  )
})
