import { expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.development.ts'
import { part, show, shown, text } from './stage.ts'
import { row, Wire } from './wire.ts'

let wire: Wire

function card(template = html`<mqtt-status-card site-id="s1" lang="en"></mqtt-status-card>`) {
  return show<MqttStatusCard>(wire, template)
}

function mistakes(element: Element): string {
  return element.shadowRoot?.querySelector('.mistakes')?.textContent ?? ''
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

it('in development names the texts that nobody says', async () => {
  wire = new Wire()
  const element = await card()
  await shown(element, 'connected')
  element.strings = { retyr: 'Again' } as MqttStatusCard['strings']
  await waitUntil(() => mistakes(element).includes('texts that nobody says: retyr.'))
  element.strings = { retry: 'Again' }
  await waitUntil(() => mistakes(element) === '')
})
