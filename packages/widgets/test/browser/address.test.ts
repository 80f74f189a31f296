/** Settings that name no server: `src` is not an absolute address. */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusLive } from '../../src/index.ts'
import '../../src/define.development.ts'
import { pageAddress, rememberBundle } from '../../src/page/settings.ts'
import { mistakes, part, text } from './stage.ts'

let logged: unknown[] = []
const { error } = console

beforeEach(() => {
  logged = []
  console.error = (...said: unknown[]) => logged.push(String(said[0]))
})

afterEach(() => {
  console.error = error
})

it('an element shows that its src is malformed, logs it once, and throws nothing', async () => {
  const uncaught: string[] = []
  const hear = (event: ErrorEvent): void => {
    uncaught.push(event.message)
  }
  addEventListener('error', hear)
  const codes: string[] = []
  const take = (event: CustomEvent<{ code: string }> | Event): void => {
    if ('detail' in event) codes.push(event.detail.code)
  }
  document.addEventListener('mqtt-status-error', take)
  const page = await fixture(
    html`<div lang="en">
      <mqtt-status-card connection-id="plant-7" src="status.example.com"></mqtt-status-card>
      <mqtt-status-card connection-id="plant-8" src="status.example.com"></mqtt-status-card>
      <mqtt-status-live src="status.example.com"></mqtt-status-live>
    </div>`,
  )
  const card = page.querySelector('mqtt-status-card') as MqttStatusCard
  const live = page.querySelector('mqtt-status-live') as MqttStatusLive
  await waitUntil(() => text(card).includes('The server’s address is wrong'), text(card))
  await waitUntil(() => text(live).includes('The server’s address is wrong'), text(live))
  expect(part(card, 'name')?.textContent.trim()).to.equal('plant-7')
  expect(text(card)).to.not.contain('No server is set')
  expect(mistakes(card))
    .to.contain('What is set as the server is no address.')
    .and.contain('src="https://status.example.com"')
  expect(codes).to.deep.equal(['malformed', 'malformed', 'malformed'])
  await new Promise((resolve) => setTimeout(resolve))
  expect(uncaught).to.deep.equal([])
  expect(logged.length).to.equal(1)
  expect(logged[0]).to.contain('"status.example.com" is no address')
  card.src = 'http://mended.test'
  await waitUntil(() => card.link !== null, 'a server')
  await waitUntil(() => !mistakes(card).includes('is no address'), mistakes(card))
  removeEventListener('error', hear)
  document.removeEventListener('mqtt-status-error', take)
})

it('the bundle reads its settings from the script element that loaded it', () => {
  const script = document.createElement('script')
  script.type = 'text/plain'
  script.src = 'https://status.test/widgets/mqtt-status.js'
  script.dataset['tokenSrc'] = '/mqtt-token'
  const other = document.createElement('script')
  other.type = 'text/plain'
  other.src = 'https://other.test/widgets/mqtt-status.js'
  other.dataset['tokenSrc'] = '/other-token'
  document.head.append(other, script)
  rememberBundle(script.src)
  expect(pageAddress()).to.deep.equal({ src: 'https://status.test/', tokenSrc: '/mqtt-token' })
  // A script with `data-mqtt-status` takes precedence.
  other.dataset['mqttStatus'] = ''
  other.remove()
  document.head.append(other, document.createElement('script'))
  expect(pageAddress()).to.deep.equal({ src: 'https://status.test/', tokenSrc: '/other-token' })
  rememberBundle('')
  for (const one of [other, script]) one.remove()
})

it('a provider with a malformed src gives its elements no server, although the page names one', async () => {
  const meta = document.createElement('meta')
  meta.name = 'mqtt-status:src'
  meta.content = 'http://meta.test'
  document.head.append(meta)
  const provider = await fixture(
    html`<mqtt-status-provider src="other.example.com" lang="en">
      <mqtt-status-card connection-id="plant-7"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  const card = provider.querySelector('mqtt-status-card') as MqttStatusCard
  await waitUntil(() => text(card).includes('The server’s address is wrong'), text(card))
  expect(card.link).to.equal(null)
  provider.setAttribute('src', 'http://mended.test')
  await waitUntil(() => card.link !== null, 'a server')
  meta.remove()
})

it('elements inside a provider with a malformed src take no server from a provider in it or beside it', async () => {
  const page = await fixture(
    html`<div lang="en">
      <mqtt-status-provider src="http://first.test"></mqtt-status-provider>
      <mqtt-status-provider src="other.example.com">
        <mqtt-status-card connection-id="plant-7"></mqtt-status-card>
        <mqtt-status-provider token="pk_1">
          <mqtt-status-card connection-id="plant-8"></mqtt-status-card>
        </mqtt-status-provider>
      </mqtt-status-provider>
    </div>`,
  )
  for (const card of page.querySelectorAll('mqtt-status-card')) {
    await waitUntil(() => text(card).includes('The server’s address is wrong'), text(card))
    expect(card.link).to.equal(null)
  }
})
