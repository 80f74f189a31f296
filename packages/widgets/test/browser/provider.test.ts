import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusProvider, StatusClient } from '../../src/index.ts'
import { clientFor } from '../../src/index.ts'
import '../../src/define.ts'
import { serverOfBundle } from '../../src/page/settings.ts'

function cardIn(element: Element): MqttStatusCard {
  return element.querySelector('mqtt-status-card') as MqttStatusCard
}

function clientOf(card: MqttStatusCard): StatusClient | null {
  return (card as unknown as { clients: { current: StatusClient | null } }).clients.current
}

/** Waits until the card uses this client. */
async function asks(
  card: MqttStatusCard,
  settings: Parameters<typeof clientFor>[0],
): Promise<void> {
  const wanted = clientFor(settings)
  await waitUntil(
    () => clientOf(card) === wanted,
    `${clientOf(card)?.src ?? 'no server'} is the client's`,
  )
}

function pageScript(data: Record<string, string>): HTMLScriptElement {
  const script = document.createElement('script')
  script.type = 'text/plain'
  Object.assign(script.dataset, { mqttStatus: '', ...data })
  document.head.append(script)
  return script
}

it('gives the elements inside it one client', async () => {
  const provider = await fixture<MqttStatusProvider>(
    html` <mqtt-status-provider src="http://one.test">
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  expect(provider.client).to.equal(clientFor({ src: 'http://one.test/' }))
  expect(getComputedStyle(provider).display).to.equal('contents')
  await asks(cardIn(provider), { src: 'http://one.test' })
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
  await asks(cardIn(page), { src: 'http://default.test' })
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
  await asks(card, { src: 'http://late.test' })
})

it('the element goes before the provider, the meta tag comes last', async () => {
  const meta = document.createElement('meta')
  meta.name = 'mqtt-status:src'
  meta.content = 'http://meta.test'
  document.head.append(meta)
  const alone = await fixture<MqttStatusCard>(
    html`<mqtt-status-card connection-id="a"></mqtt-status-card>`,
  )
  await asks(alone, { src: 'http://meta.test' })
  const provider = await fixture(
    html` <mqtt-status-provider src="http://two.test">
      <mqtt-status-card connection-id="a" src="http://own.test"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  await asks(cardIn(provider), { src: 'http://own.test' })
  meta.remove()
})

it('adds its settings to the server that the page names, if it names none', async () => {
  const script = pageScript({ src: 'http://page.test', tokenSrc: '/page-token' })
  const provider = await fixture<MqttStatusProvider>(
    html`<mqtt-status-provider token-src="/own-token">
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  const wanted = clientFor({ src: 'http://page.test', tokenSrc: '/own-token' })
  expect(provider.client).to.equal(wanted)
  await asks(cardIn(provider), { src: 'http://page.test', tokenSrc: '/own-token' })
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

it('keeps the credentials of the page for the server of the page, and for no other', async () => {
  const script = pageScript({ src: 'http://page.test', tokenSrc: '/page-token' })
  const same = await fixture<MqttStatusProvider>(
    html`<mqtt-status-provider src="http://page.test/"></mqtt-status-provider>`,
  )
  expect(same.client).to.equal(clientFor({ src: 'http://page.test', tokenSrc: '/page-token' }))
  const other = await fixture<MqttStatusProvider>(
    html`<mqtt-status-provider src="http://foreign.test"></mqtt-status-provider>`,
  )
  expect(other.client).to.equal(clientFor({ src: 'http://foreign.test' }))
  script.remove()
})

it('a provider inside another one adds to it', async () => {
  const outer = await fixture<MqttStatusProvider>(
    html` <mqtt-status-provider src="http://outer.test" token-src="/outer">
      <mqtt-status-provider token-src="/inner" id="adds">
        <mqtt-status-card connection-id="a"></mqtt-status-card>
      </mqtt-status-provider>
      <mqtt-status-provider src="http://outer.test/" id="same"></mqtt-status-provider>
      <mqtt-status-provider src="http://foreign.test" id="other"></mqtt-status-provider>
    </mqtt-status-provider>`,
  )
  const inner = (id: string) => outer.querySelector<MqttStatusProvider>(`#${id}`)?.client
  await asks(cardIn(outer), { src: 'http://outer.test', tokenSrc: '/inner' })
  expect(inner('same')).to.equal(outer.client)
  expect(inner('other')).to.equal(clientFor({ src: 'http://foreign.test' }))
  outer.src = 'http://moved.test'
  await asks(cardIn(outer), { src: 'http://moved.test', tokenSrc: '/inner' })
  await waitUntil(() => inner('same') === clientFor({ src: 'http://outer.test' }), 'no token')
})

it('takes its elements along to another server, and lets them go with it', async () => {
  const page = await fixture(
    html` <div>
      <mqtt-status-provider src="http://first.test">
        <mqtt-status-card connection-id="a"></mqtt-status-card>
      </mqtt-status-provider>
    </div>`,
  )
  const card = cardIn(page)
  const provider = page.firstElementChild as MqttStatusProvider
  await asks(card, { src: 'http://first.test' })
  provider.src = 'http://second.test'
  await asks(card, { src: 'http://second.test' })
  provider.setAttribute('token-src', '/token')
  await asks(card, { src: 'http://second.test', tokenSrc: '/token' })
  page.append(card)
  provider.remove()
  await waitUntil(() => clientOf(card) === null, 'no server')
})

it('has a wire, a way to share it, and a patience, by attributes', async () => {
  const transports: string[] = []
  const { WebSocket, fetch } = window
  window.WebSocket = class extends EventTarget {
    static readonly CLOSING = 2
    readonly #url: string
    constructor(url: string) {
      super()
      this.#url = url
      transports.push(url)
    }
    close(): void {
      transports.push(`closed ${this.#url}`)
    }
  } as unknown as typeof WebSocket
  window.fetch = (input) => {
    transports.push(input instanceof Request ? input.url : String(input))
    return Promise.reject(new TypeError('Failed to fetch'))
  }
  try {
    for (const [name, path] of [
      ['ws', 'ws://ws-wire.test/ws/status'],
      ['sse', 'http://sse-wire.test/sse/status'],
      ['poll', 'http://poll-wire.test/api/v1/connections'],
      ['smoke', 'ws://smoke-wire.test/ws/status'],
    ] as const) {
      const provider = await fixture<MqttStatusProvider>(
        html`<mqtt-status-provider src="http://${name}-wire.test" transport=${name}>
          <mqtt-status-card connection-id="a"></mqtt-status-card>
        </mqtt-status-provider>`,
      )
      await waitUntil(() => transports.some((url) => url.startsWith(path)), path)
      provider.client?.close()
    }
    const locks: string[] = []
    const { request } = navigator.locks
    navigator.locks.request = ((lock: string) => {
      locks.push(lock)
      return new Promise(() => undefined)
    }) as unknown as typeof request
    const shared = await fixture<MqttStatusProvider>(
      html`<mqtt-status-provider src="http://shared.test" share="tabs">
        <mqtt-status-card connection-id="a"></mqtt-status-card>
      </mqtt-status-provider>`,
    )
    await waitUntil(() => locks.some((lock) => lock.includes('http://shared.test/')), locks.join())
    shared.client?.close()
    navigator.locks.request = request
    const patient = await fixture<MqttStatusProvider>(
      html`<mqtt-status-provider src="http://patient.test" transport="ws" pause-hidden="0.1">
        <mqtt-status-card connection-id="a"></mqtt-status-card>
      </mqtt-status-provider>`,
    )
    const line = 'ws://patient.test/ws/status'
    await waitUntil(() => transports.includes(line), 'a line')
    Object.defineProperty(document, 'hidden', { value: true, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
    await waitUntil(() => transports.includes(`closed ${line}`), 'the line to be let go of')

    Reflect.deleteProperty(document, 'hidden')
    document.dispatchEvent(new Event('visibilitychange'))
    patient.client?.close()
  } finally {
    Object.assign(window, { WebSocket, fetch })
  }
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
