import { aTimeout, expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.development.ts'
import { mistakes, part, show, shown, text } from './stage.ts'
import { row, Wire } from './wire.ts'

let wire: Wire

function card(template = html`<mqtt-status-card site-id="s1" lang="en"></mqtt-status-card>`) {
  return show<MqttStatusCard>(wire, template)
}

afterEach(() => {
  wire.client.close()
})

it('shows the only connection of a site, with its button', async () => {
  wire = new Wire()
  const element = await card()
  await shown(element, 'connected')
  await element.updateComplete
  expect(text(element)).to.contain('Impianto 7')
  expect(part(element, 'control')).to.exist
  expect(element.connection?.id).to.equal('plant-7')
})

it('says that a site has several, and offers no button', async () => {
  wire = new Wire({ rows: [row(), row({ id: 'plant-8' })] })
  const element = await card()
  await waitUntil(() => text(element).includes('This site has 2 connections'), 'the message', {
    timeout: 3_000,
  })
  expect(part(element, 'control')).to.equal(null)
  expect(mistakes(element)).to.contain('Use connection-id')
})

it('says that a site has none', async () => {
  wire = new Wire({ rows: [] })
  const element = await card()
  await waitUntil(() => text(element).includes('Connection not found'), 'the message', {
    timeout: 5_000,
  })
})

it('in development says what is wrong with an attribute, why, and what to do, and takes it back', async () => {
  wire = new Wire()
  const element = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en" controls="yes"></mqtt-status-card>`,
  )
  await shown(element, 'connected')
  await waitUntil(() => mistakes(element).includes('controls="yes" is not understood'))
  expect(mistakes(element)).to.contain('auto, show, none').and.contain('correct the word')
  element.setAttribute('controls', 'show')
  await waitUntil(() => mistakes(element) === '')
})

it('in development says that no connection is chosen', async () => {
  wire = new Wire()
  const element = await card(html`<mqtt-status-card lang="en"></mqtt-status-card>`)
  await waitUntil(() => mistakes(element).includes('No connection is chosen'))
})

it('in development says why the server can’t be reached, and takes it back', async () => {
  wire = new Wire()
  wire.mute = true
  const element = await card()
  await shown(element, 'loading')
  wire.cut()
  await waitUntil(() =>
    mistakes(element).includes('The server http://status.test/ can’t be reached'),
  )
  expect(mistakes(element))
    .to.contain('It is down')
    .and.contain('both http://status.test and ws://status.test in connect-src')
  wire.mute = false
  element.refresh()
  await waitUntil(() => mistakes(element) === '')
})

it('in development says that a token is asked for, or that this page is not allowed', async () => {
  wire = new Wire()
  const element = await card()
  await shown(element, 'connected')
  wire.cut(4001)
  await waitUntil(() => mistakes(element).includes('Set token-src'))
  wire.client.refresh()
  await shown(element, 'connected')
  wire.cut(4003)
  await waitUntil(() => mistakes(element).includes(`Add ${location.origin} to ALLOWED_ORIGINS`))
})

it('in development builds names the keys that name no text', async () => {
  wire = new Wire()
  const element = await card()
  await shown(element, 'connected')
  element.strings = { retyr: 'Again' } as MqttStatusCard['strings']
  await waitUntil(() => mistakes(element).includes('keys that name no text: retyr.'))
  element.strings = { retry: 'Again' }
  await waitUntil(() => mistakes(element) === '')
})

it('does not mistake a row that others brought for the only one of a site', async () => {
  wire = new Wire({ rows: [row(), row({ id: 'plant-8' })] })
  const other = await card(
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(other, 'connected')
  wire.mute = true
  const element = await card()
  await waitUntil(() => wire.heard.some((said) => 'sites' in said), 'the site to be asked for')
  await element.updateComplete
  expect(element.connection).to.equal(null)
  expect(part(element, 'control')).to.equal(null)
  expect(element.matches(':state(loading)')).to.equal(true)
  wire.mute = false
  wire.cut()
  await waitUntil(() => text(element).includes('This site has 2 connections'), 'the message', {
    timeout: 5_000,
  })
})

it('says that a site has none as soon as that is answered, and not before', async () => {
  wire = new Wire({ rows: [] })
  wire.mute = true
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
  wire.mute = false
  wire.cut()
  await shown(element, 'missing')
  wire.push({})
  await shown(element, 'connected')
})

it('hears of the line also while its site has no connection', async () => {
  wire = new Wire({ rows: [] })
  const element = await card()
  await shown(element, 'missing')
  wire.cut(4003)
  await shown(element, 'link-forbidden')
  await waitUntil(() => element.shadowRoot?.querySelector('.retry'), 'the button')
  expect(text(element)).not.to.contain('Connection not found')
  wire.client.refresh()
  await shown(element, 'missing')
})

for (const template of [
  html`<mqtt-status-card site-id="s1" lang="en"></mqtt-status-card>`,
  html`<mqtt-status-card site-id="none" lang="en"></mqtt-status-card>`,
  html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
])
  it('leaves no ear behind', async () => {
    wire = new Wire()
    const { client } = wire
    let ears = 0
    const counted = (leave: () => void): (() => void) => {
      ears++
      return () => {
        ears--
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
    expect(ears).to.be.greaterThan(1)
    element.remove()
    element.name = 'Changed while away'
    await element.updateComplete
    expect(ears).to.equal(0)
  })

it('keeps what it shows while it is moved, and tells it only once', async () => {
  wire = new Wire()
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
  wire.push({ status: 'failed', reason: 'bad_credentials' })
  await shown(element, 'failed')
  expect(dispatched).to.deep.equal(['change'])
})

for (const hours of [-1, 1])
  it(`tells times by the server’s clock, which is ${hours} h ahead`, async () => {
    const since = new Date(Date.now() + hours * 3_600_000 - 600_000).toISOString()
    wire = new Wire({
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

it('in development knows the words of lists and numbers, and what is meant without them', async () => {
  wire = new Wire()
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
