import { aTimeout, expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.development.ts'
import { mistakes, part, show, shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer

function card(template = html`<mqtt-status-card site-id="s1" lang="en"></mqtt-status-card>`) {
  return show<MqttStatusCard>(server, template)
}

afterEach(() => {
  server.client.close()
})

it('a card with site-id shows the only connection of the site, with its button', async () => {
  server = new FakeServer()
  const element = await card()
  await shown(element, 'connected')
  await element.updateComplete
  expect(text(element)).to.contain('Impianto 7')
  expect(part(element, 'control')).to.exist
  expect(element.connection?.id).to.equal('plant-7')
})

it('a card shows that a site has several connections, and offers no button', async () => {
  server = new FakeServer({ rows: [row(), row({ id: 'plant-8' })] })
  const element = await card()
  await waitUntil(() => text(element).includes('This site has 2 connections'), 'the message', {
    timeout: 3_000,
  })
  expect(part(element, 'control')).to.equal(null)
  expect(mistakes(element)).to.contain('Use connection-id')
})

it('a card shows that a site has no connection', async () => {
  server = new FakeServer({ rows: [] })
  const element = await card()
  await waitUntil(() => text(element).includes('Connection not found'), 'the message', {
    timeout: 5_000,
  })
})

it('in development an element shows a wrong attribute, why, and the fix, until it is mended', async () => {
  server = new FakeServer()
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en" controls="yes"></mqtt-status-card>`,
  )
  await shown(element, 'connected')
  await waitUntil(() => mistakes(element).includes('controls="yes" is not understood'))
  expect(mistakes(element)).to.contain('auto, show, none').and.contain('correct the word')
  element.setAttribute('controls', 'show')
  await waitUntil(() => mistakes(element) === '')
})

it('in development an element shows that no connection is chosen', async () => {
  server = new FakeServer()
  const element = await card(html`<mqtt-status-card lang="en"></mqtt-status-card>`)
  await waitUntil(() => mistakes(element).includes('No connection is chosen'))
})

it('in development an element shows why the server can’t be reached, until it is live', async () => {
  server = new FakeServer()
  server.mute = true
  const element = await card()
  await shown(element, 'loading')
  server.close()
  await waitUntil(() =>
    mistakes(element).includes('The server http://status.test/ can’t be reached'),
  )
  expect(mistakes(element))
    .to.contain('It is down')
    .and.contain('both http://status.test and ws://status.test in connect-src')
  server.mute = false
  element.refresh()
  await waitUntil(() => mistakes(element) === '')
})

it('in development an element shows which setting is missing for a token, or for the origin of the page', async () => {
  server = new FakeServer()
  const element = await card()
  await shown(element, 'connected')
  server.close(4001)
  await waitUntil(() => mistakes(element).includes('Set token-src'))
  server.client.refresh()
  await shown(element, 'connected')
  server.close(4003)
  await waitUntil(() => mistakes(element).includes(`Add ${location.origin} to ALLOWED_ORIGINS`))
})

it('in development an element shows the keys of strings that name no text', async () => {
  server = new FakeServer()
  const element = await card()
  await shown(element, 'connected')
  element.strings = { retyr: 'Again' } as MqttStatusCard['strings']
  await waitUntil(() => mistakes(element).includes('keys that name no text: retyr.'))
  element.strings = { retry: 'Again' }
  await waitUntil(() => mistakes(element) === '')
})

it('a card waits for the answer about its site, although the client has a row of that site', async () => {
  server = new FakeServer({ rows: [row(), row({ id: 'plant-8' })] })
  const other = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(other, 'connected')
  server.mute = true
  const element = await card()
  await waitUntil(() => server.received.some((said) => 'sites' in said), 'a watch of the site')
  await element.updateComplete
  expect(element.connection).to.equal(null)
  expect(part(element, 'control')).to.equal(null)
  expect(element.matches(':state(loading)')).to.equal(true)
  server.mute = false
  server.close()
  await waitUntil(() => text(element).includes('This site has 2 connections'), 'the message', {
    timeout: 5_000,
  })
})

it('a card shows that a site has no connection after the answer, and not before', async () => {
  server = new FakeServer({ rows: [] })
  server.mute = true
  const element = await card()
  let updates = 0
  const requestUpdate = element.requestUpdate.bind(element)
  element.requestUpdate = (...change) => {
    updates++
    requestUpdate(...change)
  }
  await aTimeout(2_500)
  expect(element.matches(':state(loading)')).to.equal(true)
  expect(updates).to.be.lessThan(5)
  server.mute = false
  server.close()
  await shown(element, 'missing')
  server.push({})
  await shown(element, 'connected')
})

it('a card shows the state of the link although its site has no connection', async () => {
  server = new FakeServer({ rows: [] })
  const element = await card()
  await shown(element, 'missing')
  server.close(4003)
  await shown(element, 'link-forbidden')
  await waitUntil(() => element.shadowRoot?.querySelector('.retry'), 'the button')
  expect(text(element)).not.to.contain('Connection not found')
  server.client.refresh()
  await shown(element, 'missing')
})

for (const template of [
  html`<mqtt-status-card site-id="s1" lang="en"></mqtt-status-card>`,
  html`<mqtt-status-card site-id="none" lang="en"></mqtt-status-card>`,
  html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
])
  it('a removed card leaves no listener on the client', async () => {
    server = new FakeServer()
    const { client } = server
    let listeners = 0
    const counted = (leave: () => void): (() => void) => {
      listeners++
      return () => {
        listeners--
        leave()
      }
    }
    const { onLink, watch, connection } = client
    client.onLink = (listener) => counted(onLink.call(client, listener))
    client.watch = (...watched) => counted(watch.apply(client, watched))
    client.connection = (id) => {
      const handle = connection.call(client, id)
      return { ...handle, subscribe: (listener) => counted(handle.subscribe(listener)) }
    }
    const element = await card(template)
    await waitUntil(() => !element.matches(':state(loading)'), 'an answer')
    expect(listeners).to.be.greaterThan(1)
    element.remove()
    element.name = 'Changed while away'
    await element.updateComplete
    expect(listeners).to.equal(0)
  })

it('a card keeps its row while it is moved, and dispatches no event for it', async () => {
  server = new FakeServer()
  const element = await card()
  await shown(element, 'connected')
  const dispatched: string[] = []
  for (const type of ['ready', 'change', 'link', 'error'])
    element.addEventListener(`mqtt-status-${type}`, () => dispatched.push(type))
  const place = element.parentElement
  element.remove()
  element.name = 'Pump'
  await element.updateComplete
  expect(text(element)).to.contain('Pump').and.contain('Connected')
  expect(element.matches(':state(connected)')).to.equal(true)
  place?.append(element)
  await element.updateComplete
  expect(text(element)).to.contain('Connected')
  expect(dispatched).to.deep.equal([])
  server.push({ status: 'failed', reason: 'bad_credentials' })
  await shown(element, 'failed')
  expect(dispatched).to.deep.equal(['change'])
})

for (const hours of [-1, 1])
  it(`a card shows times by the server’s clock, which is ${hours} h ahead`, async () => {
    const since = new Date(Date.now() + hours * 3_600_000 - 600_000).toISOString()
    server = new FakeServer({
      aheadMs: hours * 3_600_000,
      rows: [row({ status: 'failed', since }), row({ id: 'on', since })],
    })
    const failed = await card(
      html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
    )
    const on = await card(html`<mqtt-status-card connection-id="on" lang="en"></mqtt-status-card>`)
    await waitUntil(() => text(failed).includes('10 min ago'), text(failed))
    await waitUntil(() => /for 10 min/.test(text(on)), text(on))
  })

it('in development an element shows wrong words in lists and numbers, and the default that applies', async () => {
  server = new FakeServer()
  const element = await card(
    html`<mqtt-status-card
      connection-id="plant-7"
      lang="en"
      hide="time, tme"
      heading-level="7"
      announce="loud"
    ></mqtt-status-card>`,
  )
  await waitUntil(() => mistakes(element).includes('hide="time, tme" is not understood'))
  expect(mistakes(element))
    .to.contain('heading-level="7" is not understood')
    .and.contain('The name is no heading')
    .and.contain('behaves as with announce="problems"')
  element.setAttribute('hide', 'time, meta reason')
  element.setAttribute('heading-level', '6')
  element.setAttribute('announce', 'off')
  await waitUntil(() => mistakes(element) === '')
})
