import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, answerCommands, button, part, show, shown, text } from './stage.ts'
import { Wire } from './wire.ts'

let wire: Wire
let restore = (): void => undefined

function serve(answer: Parameters<typeof answerCommands>[0]): Request[] {
  const { asked, restore: undo } = answerCommands(answer)
  restore = undo
  return asked
}

function control(
  template = html`<mqtt-status-control connection-id="plant-7" lang="en"></mqtt-status-control>`,
) {
  return show<MqttStatusControl>(wire, template)
}

function message(element: Element): string {
  return part(element, 'message')?.textContent?.trim() ?? ''
}

beforeEach(() => {
  wire = new Wire()
})

afterEach(() => {
  restore()
  restore = () => undefined
  wire.client.close()
})

for (const theme of ['light', 'dark']) {
  for (const density of ['comfortable', 'compact', 'dense']) {
    it(`passes the accessibility audit: ${theme}, ${density}`, async () => {
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
      wire.push({ status: 'failed', reason: 'quota' })
      await shown(element, 'failed')
      await expect(element).to.be.accessible()
    })
  }
}

it('waits with a card for the same command', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  const card = await show<MqttStatusCard>(
    wire,
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

it('is as wide while its command runs as before', async () => {
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

it('two clicks are one command', async () => {
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

it('says that there is no confirmation when the time that the server named is over, and takes a late push', async () => {
  serve(() => accepted({}, 500))
  const element = await control()
  await shown(element, 'link-live')
  const ended = oneEvent(element, 'mqtt-status-command-end')
  button(element).click()
  expect((await ended).detail.outcome).to.equal('timeout')
  await waitUntil(() => message(element) === 'No confirmation yet')
  expect(button(element).ariaDisabled).to.not.equal('true')
  wire.push({
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

it('counts down in text how long the server takes no command, and works again after that', async () => {
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

it('does not know how a command has ended when the line breaks, and says so', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const element = await control()
  await shown(element, 'link-live')
  button(element).click()
  await shown(element, 'pending')
  wire.mute = true
  wire.cut()
  await shown(element, 'stale')
  await element.updateComplete
  expect(message(element)).to.contain('Outcome unknown')
  expect(button(element).ariaDisabled).to.equal('true')
})

it('sends nothing while the line is down, neither now nor later', async () => {
  const asked = serve(() => accepted())
  const element = await control()
  await shown(element, 'link-live')
  wire.mute = true
  wire.cut()
  await shown(element, 'stale')
  button(element).click()
  const { outcome } = await element.disconnect()
  expect(outcome).to.equal('failed')
  wire.mute = false
  element.refresh()
  await shown(element, 'link-live')
  expect(asked).to.have.length(0)
})

it('says why, and keeps the focus, when the server forbids it', async () => {
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

it('shows a check for a success that no word tells', async () => {
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
  wire.push({ generation: 2, observedGeneration: 2, revision: 9 })
  expect((await ended).detail.outcome).to.equal('done')
  await element.updateComplete
  const glyph = (): string | null | undefined =>
    button(element).querySelector('path')?.getAttribute('d')
  expect(glyph()).to.not.equal(before)
  await waitUntil(() => glyph() === before, 'the check to go', { timeout: 5_000 })
})

it('asks in place, with the focus on No, and forgets the question after a while', async () => {
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

it('sends the command after Yes', async () => {
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

it('offers one fixed action, and says in text why it would change nothing', async () => {
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
  wire.push({ status: 'disconnected', desired: 'disconnected' })
  await shown(element, 'disconnected')
  await waitUntil(() => button(element).ariaDisabled !== 'true')
})

it('says in text that the viewer may only view, or that the connection is only observed', async () => {
  wire = new Wire({ can: ['view'] })
  const viewer = await control()
  await shown(viewer, 'link-live')
  expect(button(viewer).ariaDisabled).to.equal('true')
  expect(text(viewer)).to.contain('You may only view')
  wire = new Wire()
  const observed = await control()
  await shown(observed, 'link-live')
  wire.push({ managed: false, desired: null })
  await waitUntil(() => text(observed).includes('Only observed here'))
})

it('takes words and icon of the page', async () => {
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
