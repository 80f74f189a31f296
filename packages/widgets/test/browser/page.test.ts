/** What a page sets on an element, and changes: names, languages, attributes, events. */
import { expect, html, nextFrame, waitUntil } from '@open-wc/testing'
import { MqttStatusCard } from '../../src/index.ts'
import type { MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { listen, part, show, shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer

function card(
  template = html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
) {
  return show<MqttStatusCard>(server, template)
}

function link(element: Element): HTMLAnchorElement | null {
  return element.shadowRoot?.querySelector('a') ?? null
}

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

it('an element without a slot "before" neither shows nor uses the text that a page puts there', async () => {
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en"
      >Boiler<span slot="before">: connected</span></mqtt-status-card
    >`,
  )
  server.push({ name: '' })
  await shown(element, 'connected')
  const name = (): string => element.shadowRoot?.querySelector('#name')?.textContent.trim() ?? ''
  await waitUntil(() => name() === 'Boiler', name())
  expect(element.textContent.trim()).to.equal('Boiler: connected')
  expect(element.querySelector('span')?.checkVisibility()).to.equal(false)
})

it('the name slot takes precedence over all other names, also in announcements', async () => {
  const { said, stop } = listen()
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" name="Attribute"
      ><b slot="name">Boiler</b></mqtt-status-card
    >`,
  )
  await shown(element, 'connected')
  element.dispatchEvent(new PointerEvent('pointerenter'))
  await waitUntil(() => part(element, 'name')?.title === 'Boiler', 'the tooltip')
  server.push({ status: 'failed', reason: 'bad_credentials' })
  await waitUntil(() => said.length > 0, 'an announcement', { timeout: 4_000 })
  expect(said[0]).to.match(/^Boiler: /)
  const slotted = element.querySelector('b')
  if (slotted) slotted.textContent = 'Kettle'
  await waitUntil(() => part(element, 'name')?.title === 'Kettle', 'the new name')
  stop()
})

it('an element renders its own text anew where that is its name', async () => {
  server.push({ name: '' })
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en"
      >Boiler<!-- no name --></mqtt-status-card
    >`,
  )
  const control = await show<MqttStatusControl>(
    server,
    html`<mqtt-status-control connection-id="plant-7" lang="en">Boiler</mqtt-status-control>`,
  )
  await shown(element, 'connected')
  const name = (): string => element.shadowRoot?.querySelector('#name')?.textContent.trim() ?? ''
  await waitUntil(() => name() === 'Boiler', name())
  const words = [...element.childNodes].find((node) => node instanceof Text)
  words?.replaceData(0, 6, 'Pump')
  control.textContent = 'Pump'
  await waitUntil(() => name() === 'Pump', name())
  await waitUntil(() => text(control).startsWith('Pump'), text(control))
  server.push({ name: 'Row' })
  await waitUntil(() => name() === 'Row', name())
})

it('a card renders in another language when a lang inside a shadow root changes', async () => {
  const host = document.createElement('div')
  const root = host.attachShadow({ mode: 'open' })
  root.innerHTML =
    '<section><mqtt-status-card connection-id="plant-7"></mqtt-status-card></section>'
  document.body.append(host)
  const element = root.querySelector('mqtt-status-card') as MqttStatusCard
  element.client = server.client
  document.documentElement.lang = 'en'
  await waitUntil(() => text(element).includes('Connected'), text(element))
  root.querySelector('section')?.setAttribute('lang', 'it')
  await waitUntil(() => text(element).includes('Connesso'), text(element))
  root.querySelector('section')?.removeAttribute('lang')
  await waitUntil(() => text(element).includes('Connected'), text(element))
  host.remove()
})

it('an element finds a settings script that the page adds within the same task', async () => {
  const template = html`<mqtt-status-card connection-id="plant-7"></mqtt-status-card>`
  document.documentElement.lang = ''
  const first = await card(template)
  await shown(first, 'connected')
  const script = document.createElement('script')
  script.type = 'text/plain'
  Object.assign(script.dataset, { mqttStatus: '', lang: 'it' })
  // The element reads the page settings once more, before the script is there.
  first.strings = { retry: 'Again' }
  await first.updateComplete
  document.head.append(script)
  const second = await card(template)
  await waitUntil(() => text(second).includes('Connesso'), text(second))
  script.remove()
  document.documentElement.lang = 'en'
})

it('a card with a valid href is a link, and one with an invalid or a script href is none', async () => {
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en" href="/plants/7"></mqtt-status-card>`,
  )
  await shown(element, 'connected')
  expect(link(element)?.getAttribute('href')).to.equal('/plants/7')
  for (const href of ['http://[', 'javascript:alert(1)', 'data:text/html,x']) {
    element.setAttribute('href', href)
    await element.updateComplete
    expect(link(element)?.hasAttribute('href'), href).to.equal(false)
    expect(text(element)).to.contain('Connected')
  }
})

it('a card leaves out the parts that hide names', async () => {
  server.push({ status: 'failed', reason: 'bad_credentials' })
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en"
      ><span slot="meta">Meta</span></mqtt-status-card
    >`,
  )
  await shown(element, 'failed')
  const seen = (): boolean[] =>
    ['time', 'reason', 'meta'].map((name) => (part(element, name)?.offsetWidth ?? 0) > 0)
  await waitUntil(() => seen().join() === 'true,true,true', seen().join())
  element.setAttribute('hide', 'time reason,meta')
  await waitUntil(() => seen().join() === 'false,false,false', seen().join())
  element.setAttribute('hide', 'reason')
  await waitUntil(() => seen().join() === 'true,false,true', seen().join())
})

it('the name is a heading for the levels 2 to 6', async () => {
  const element = await card()
  await shown(element, 'connected')
  const heading = (): string => {
    const name = part(element, 'name')
    return `${name?.getAttribute('role') ?? ''} ${name?.getAttribute('aria-level') ?? ''}`
  }
  for (const [level, wanted] of [
    ['2', 'heading 2'],
    ['6', 'heading 6'],
    ['1', ' '],
    ['7', ' '],
    ['x', ' '],
  ] as const) {
    element.setAttribute('heading-level', level)
    await element.updateComplete
    expect(heading()).to.equal(wanted)
  }
})

it('a card shows times as the attribute time says', async () => {
  server.push({ status: 'failed', since: new Date(Date.now() - 600_000).toISOString() })
  const element = await card()
  await shown(element, 'failed')
  const time = (): string => part(element, 'time')?.textContent.replace(/\s+/g, ' ').trim() ?? ''
  await waitUntil(() => time() === '10 min ago', time())
  element.setAttribute('time', 'absolute')
  await waitUntil(() => /\d:\d\d/.test(time()) && !time().includes('ago'), time())
  element.setAttribute('time', 'both')
  await waitUntil(() => /^10 min ago \(.*\d:\d\d/.test(time()), time())
})

it('a control with label-hidden shows its icon only', async () => {
  const element = await show<MqttStatusControl>(
    server,
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      label-hidden
    ></mqtt-status-control>`,
  )
  await shown(element, 'connected')
  await waitUntil(() => part(element, 'control'), 'the button')
  const label = (): number => part(element, 'label')?.offsetWidth ?? 0
  expect(label()).to.be.lessThan(2)
  element.removeAttribute('label-hidden')
  await waitUntil(() => label() > 20, 'the word')
})

it('a card dispatches change for each field except the time of the last message', async () => {
  const element = await card()
  await shown(element, 'connected')
  const dispatched: string[] = []
  element.addEventListener('mqtt-status-change', ({ detail }) => {
    dispatched.push(`${detail.previous.revision} ${detail.connection.revision}`)
  })
  const becomes = async (change: Parameters<FakeServer['push']>[0]): Promise<void> => {
    server.push(change)
    const { revision } = server.client.rows()[0] ?? row()
    await waitUntil(() => element.connection?.revision === revision)
    await element.updateComplete
    await nextFrame()
  }
  for (let i = 0; i < 5; i++) await becomes({ lastMessageAt: new Date().toISOString() })
  expect(dispatched).to.deep.equal([])
  await becomes({ device: 'online' })
  await becomes({ labels: { area: 'north' } })
  await becomes({ status: 'failed', reason: 'bad_credentials' })
  await becomes({ reason: 'quota' })
  await becomes({ name: 'Pump' })
  await becomes({ desired: 'disconnected' })
  expect(dispatched).to.deep.equal(['6 7', '7 8', '8 9', '9 10', '10 11', '11 12'])
})

it('a class may be defined under a second name, and the first one stays', () => {
  MqttStatusCard.define('portal-card')
  MqttStatusCard.define('portal-card')
  const other = document.createElement('portal-card')
  expect(other).to.be.instanceOf(MqttStatusCard)
  expect(document.createElement('mqtt-status-card').constructor).to.equal(MqttStatusCard)
})
