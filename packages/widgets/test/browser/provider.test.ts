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

it('adds its settings to the server that the page names, if it names none', async () => {
  const script = document.createElement('script')
  script.type = 'text/plain'
  Object.assign(script.dataset, {
    mqttStatus: '',
    src: 'http://page.test',
    tokenSrc: '/page-token',
  })
  document.head.append(script)
  const provider = await fixture<MqttStatusProvider>(
    html`<mqtt-status-provider token-src="/own-token">
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  const wanted = clientFor({ src: 'http://page.test', tokenSrc: '/own-token' })
  expect(provider.client).to.equal(wanted)
  await waitUntil(() => cardIn(provider).link !== null, 'the card to have a client')
  const getToken = () => 'x'
  Object.assign(provider, { tokenSrc: null, getToken })
  await provider.updateComplete
  expect(provider.client).to.equal(clientFor({ src: 'http://page.test', getToken }))
  // With nothing of its own it is what the page is without it.
  provider.getToken = null
  await provider.updateComplete
  expect(provider.client).to.equal(clientFor({ src: 'http://page.test', tokenSrc: '/page-token' }))
  script.remove()
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
