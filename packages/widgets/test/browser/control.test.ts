import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, button, part, serve, show, shown, text } from './stage.ts'
import { FakeServer } from './fake-server.ts'

let server: FakeServer

function control(
  template = html`<mqtt-status-control connection-id="plant-7" lang="en"></mqtt-status-control>`,
) {
  return show<MqttStatusControl>(server, template)
}

function message(element: Element): string {
  return part(element, 'message')?.textContent?.trim() ?? ''
}

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

for (const theme of ['light', 'dark']) {
  for (const density of ['comfortable', 'compact', 'dense']) {
    it(`a control passes the accessibility audit: ${theme}, ${density}`, async () => {
      const element = await control(
        html`<mqtt-status-control
          connection-id="plant-7"
          lang="en"
          theme=${theme}
          density=${density}
        ></mqtt-status-control>`,
      )
      await shown(element, 'link-live')
      await expect(element).to.be.accessible()
      element.labelHidden = true
      await element.updateComplete
      await expect(element).to.be.accessible()
      expect(button(element).title).to.equal('Disconnect')
      server.push({ status: 'failed', reason: 'quota' })
      await shown(element, 'failed')
      await expect(element).to.be.accessible()
    })
  }
}

it('a control is pending with a card of the same connection', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  const card = await show<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await Promise.all([shown(element, 'link-live'), shown(card, 'link-live')])
  button(card).click()
  await shown(element, 'pending')
  await element.updateComplete
  expect(button(element).ariaDisabled).to.equal('true')
  expect(button(element).ariaBusy).to.equal('true')
  expect(message(element)).to.equal('Request sent…')
})

it('a button keeps its width while its command runs', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  await shown(element, 'link-live')
  const { width, height } = button(element).getBoundingClientRect()
  button(element).click()
  await shown(element, 'pending')
  await element.updateComplete
  const busy = button(element).getBoundingClientRect()
  expect([busy.width, busy.height]).to.deep.equal([width, height])
})

it('two clicks send one command', async () => {
  const asked = serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  await shown(element, 'link-live')
  button(element).click()
  button(element).click()
  await shown(element, 'pending')
  button(element).click()
  await waitUntil(() => asked.length > 0)
  expect(asked).to.have.length(1)
})

it('a control shows that there is no confirmation after the timeout of the server, and a late row ends that', async () => {
  serve(() => accepted({}, 500))
  const element = await control()
  await shown(element, 'link-live')
  const ended = oneEvent(element, 'mqtt-status-command-end')
  button(element).click()
  expect((await ended).detail.outcome).to.equal('timeout')
  await waitUntil(() => message(element) === 'No confirmation yet')
  expect(button(element).ariaDisabled).to.not.equal('true')
  server.push({
    status: 'disconnected',
    desired: 'disconnected',
    generation: 2,
    observedGeneration: 2,
    revision: 9,
  })
  await shown(element, 'disconnected')
  await waitUntil(() => !element.matches(':state(pending)'))
  await waitUntil(() => text(element).includes('Connect') && message(element) === '')
})

it('a control counts down the Retry-After of the server, and enables its button after it', async () => {
  const headers = { 'retry-after': '2' }
  const asked = serve(() => ({ status: 429, body: { code: 'rate_limited' }, headers }))
  const element = await control()
  await shown(element, 'link-live')
  const { outcome, retryAfterMs } = await element.disconnect()
  expect([outcome, retryAfterMs]).to.deep.equal(['failed', 2_000])
  await waitUntil(() => /wait [12] sec/.test(message(element)))
  expect(button(element).ariaDisabled).to.equal('true')
  button(element).click()
  await element.updateComplete
  expect(asked).to.have.length(1)
  await waitUntil(() => message(element).includes('wait 1 sec'), 'the count', { timeout: 5_000 })
  await waitUntil(() => message(element) === '', 'the end of the wait', { timeout: 5_000 })
  expect(button(element).ariaDisabled).to.not.equal('true')
  button(element).click()
  await waitUntil(() => asked.length === 2)
})

it('a control shows that the outcome is unknown when the transport closes during a command', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  await shown(element, 'link-live')
  button(element).click()
  await shown(element, 'pending')
  server.mute = true
  server.close()
  await shown(element, 'stale')
  await element.updateComplete
  expect(message(element)).to.contain('Outcome unknown')
  expect(button(element).ariaDisabled).to.equal('true')
})

it('a control sends no command while the link is down, nor later', async () => {
  const asked = serve(() => accepted())
  const element = await control()
  await shown(element, 'link-live')
  server.mute = true
  server.close()
  await shown(element, 'stale')
  button(element).click()
  const { outcome } = await element.disconnect()
  expect(outcome).to.equal('failed')
  server.mute = false
  element.refresh()
  await shown(element, 'link-live')
  expect(asked).to.have.length(0)
})

it('a control shows why the server forbids a command, and keeps the focus', async () => {
  serve(() => ({ status: 403, body: { code: 'forbidden' } }))
  const element = await control()
  await shown(element, 'link-live')
  button(element).focus()
  button(element).click()
  await waitUntil(() => message(element) === 'You may not do this')
  expect(button(element).ariaDisabled).to.equal('true')
  expect(element.shadowRoot?.activeElement).to.equal(button(element))
  await expect(element).to.be.accessible()
})

it('a button shows a check after a success that leaves the status word as it was', async () => {
  serve(() => accepted({ generation: 2 }))
  const element = await control(
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      action="reconnect"
    ></mqtt-status-control>`,
  )
  await shown(element, 'link-live')
  const before = button(element).querySelector('path')?.getAttribute('d')
  const ended = oneEvent(element, 'mqtt-status-command-end')
  button(element).click()
  await shown(element, 'pending')
  server.push({ generation: 2, observedGeneration: 2, revision: 9 })
  expect((await ended).detail.outcome).to.equal('done')
  await element.updateComplete
  const glyph = (): string | null | undefined =>
    button(element).querySelector('path')?.getAttribute('d')
  expect(glyph()).to.not.equal(before)
  await waitUntil(() => glyph() === before, 'the check to go', { timeout: 5_000 })
})

it('a control opens the question in place, focuses No, and closes the question after 5 s', async () => {
  const asked = serve(() => accepted())
  const element = await control(
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      confirm="all"
    ></mqtt-status-control>`,
  )
  await shown(element, 'link-live')
  button(element).focus()
  button(element).click()
  await waitUntil(() => element.shadowRoot?.activeElement?.textContent?.trim() === 'No')
  await expect(element).to.be.accessible()
  await waitUntil(() => part(element, 'confirm') === null, 'the question to go', { timeout: 8_000 })
  expect(element.shadowRoot?.activeElement).to.equal(button(element))
  expect(asked).to.have.length(0)
})

it('a control sends the command after Yes', async () => {
  const asked = serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control(
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      confirm="disconnect"
    ></mqtt-status-control>`,
  )
  await shown(element, 'link-live')
  button(element).click()
  await waitUntil(() => element.shadowRoot?.querySelector('.yes'))
  element.shadowRoot?.querySelector<HTMLElement>('.yes')?.click()
  await shown(element, 'pending')
  await waitUntil(() => asked.length === 1)
})

it('a control with a fixed action shows why the action would change nothing', async () => {
  const element = await control(
    html`<mqtt-status-control
      connection-id="plant-7"
      lang="en"
      action="connect"
    ></mqtt-status-control>`,
  )
  await shown(element, 'link-live')
  expect(button(element).ariaDisabled).to.equal('true')
  expect(text(element)).to.contain('Already connected')
  server.push({ status: 'disconnected', desired: 'disconnected' })
  await shown(element, 'disconnected')
  await waitUntil(() => button(element).ariaDisabled !== 'true')
})

it('a control shows that the viewer may only view, or that the connection is only observed', async () => {
  server = new FakeServer({ can: ['view'] })
  const viewer = await control()
  await shown(viewer, 'link-live')
  expect(button(viewer).ariaDisabled).to.equal('true')
  expect(text(viewer)).to.contain('You may only view')
  server = new FakeServer()
  const observed = await control()
  await shown(observed, 'link-live')
  server.push({ managed: false, desired: null })
  await waitUntil(() => text(observed).includes('Only observed here'))
})

it('a control uses the label and the icon that the page has put into its slots', async () => {
  const element = await control(
    html`<mqtt-status-control connection-id="plant-7" lang="en"
      ><span slot="disconnect">Trennen</span><img slot="icon" alt=""
    /></mqtt-status-control>`,
  )
  await shown(element, 'link-live')
  const slot = button(element).querySelector<HTMLSlotElement>('slot[name="disconnect"]')
  expect(slot?.assignedElements()).to.have.length(1)
  await expect(element).to.be.accessible()
})
