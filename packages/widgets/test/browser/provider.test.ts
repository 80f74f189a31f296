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

it('a provider gives the elements inside it one client', async () => {
  const provider = await fixture<MqttStatusProvider>(
    html` <mqtt-status-provider src="http://one.test">
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </mqtt-status-provider>`,
  )
  expect(provider.client).to.equal(clientFor({ src: 'http://one.test/' }))
  expect(getComputedStyle(provider).display).to.equal('contents')
  await asks(cardIn(provider), { src: 'http://one.test' })
})

it('providers share one client for each server and identity', () => {
  expect(clientFor({ src: 'http://same.test' })).to.equal(clientFor({ src: 'http://same.test/' }))
  expect(clientFor({ src: 'http://same.test', tokenSrc: '/token' })).to.not.equal(
    clientFor({ src: 'http://same.test' }),
  )
  const getToken = () => 'x'
  expect(clientFor({ src: 'http://same.test', getToken })).to.equal(
    clientFor({ src: 'http://same.test', getToken }),
  )
})

it('the first provider is the default for elements outside of it', async () => {
  const page = await fixture(
    html` <div>
      <mqtt-status-provider src="http://default.test"></mqtt-status-provider>
      <mqtt-status-card connection-id="a"></mqtt-status-card>
    </div>`,
  )
  await asks(cardIn(page), { src: 'http://default.test' })
})

it('a provider gives its client to elements that were there before it', async () => {
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

const SETTINGS = {
  getToken: (provider: MqttStatusProvider) => (provider.getToken = () => 'token'),
  tokenSrc: (provider: MqttStatusProvider) => (provider.tokenSrc = '/mqtt-token'),
  'token-src': (provider: MqttStatusProvider) => provider.setAttribute('token-src', '/mqtt-token'),
  token: (provider: MqttStatusProvider) => (provider.token = 'publishable'),
  src: (provider: MqttStatusProvider) => (provider.src = 'http://other.test'),
}

for (const [name, set] of Object.entries(SETTINGS))
  it(`applies ${name} before the elements inside it look for their client, if a page sets it in the same task`, async () => {
    const src = `http://${name.toLowerCase()}.first.test`
    const former = clientFor({ src })
    const { connection } = former
    let asked = 0
    former.connection = (id) => {
      asked++
      return connection.call(former, id)
    }
    const provider = document.createElement('mqtt-status-provider')
    provider.src = src
    provider.innerHTML = '<mqtt-status-card connection-id="a"></mqtt-status-card>'
    const page = await fixture(html`<div></div>`)
    page.append(provider)
    set(provider)
    await cardIn(provider).updateComplete
    expect(clientOf(cardIn(provider))).to.equal(provider.client)
    expect(provider.client).to.not.equal(former)
    expect(asked).to.equal(0)
  })

it('the src of an element takes precedence over the provider, and the meta element comes last', async () => {
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

it('a provider without src uses the server of the page with its own settings', async () => {
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
  // A provider without settings has the client that the page has without it.
  provider.getToken = null
  await provider.updateComplete
  expect(provider.client).to.equal(clientFor({ src: 'http://page.test', tokenSrc: '/page-token' }))
  script.remove()
})

it('a provider with another src does not use the token settings of the page', async () => {
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

it('a provider inside another one inherits its settings', async () => {
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

it('elements follow their provider to another server, and have none after it is removed', async () => {
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

it('a provider reads transport, share and pause-hidden from its attributes', async () => {
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
      ['ws', 'ws://ws-transport.test/ws/status'],
      ['sse', 'http://sse-transport.test/sse/status'],
      ['poll', 'http://poll-transport.test/api/v1/connections'],
      ['smoke', 'ws://smoke-transport.test/ws/status'],
    ] as const) {
      const provider = await fixture<MqttStatusProvider>(
        html`<mqtt-status-provider src="http://${name}-transport.test" transport=${name}>
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
    const address = 'ws://patient.test/ws/status'
    await waitUntil(() => transports.includes(address), 'a transport')
    Object.defineProperty(document, 'hidden', { value: true, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
    await waitUntil(() => transports.includes(`closed ${address}`), 'the end of the transport')

    Reflect.deleteProperty(document, 'hidden')
    document.dispatchEvent(new Event('visibilitychange'))
    patient.client?.close()
  } finally {
    Object.assign(window, { WebSocket, fetch })
  }
})

it('the bundle takes its server from an address that ends in /widgets/mqtt-status.js, and from no other', () => {
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
