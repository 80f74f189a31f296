import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusLive } from '../../src/index.ts'
import '../../src/define.ts'
import { part, show, shown, text } from './stage.ts'
import { Wire } from './wire.ts'

let wire: Wire

function live(template = html`<mqtt-status-live lang="en"></mqtt-status-live>`) {
  return show<MqttStatusLive>(wire, template)
}

beforeEach(() => {
  wire = new Wire()
})

afterEach(() => {
  wire.client.close()
})

it('is live by itself, without any other element', async () => {
  const element = await live()
  await shown(element, 'link-live')
  await element.updateComplete
  expect(text(element)).to.equal('Live')
  await expect(element).to.be.accessible()
})

it('says that updates are paused, counts down, and tries again at once when asked to', async () => {
  const element = await live()
  await shown(element, 'link-live')
  wire.mute = true
  wire.cut()
  await shown(element, 'link-stale')
  await waitUntil(() => text(element).includes('Updates paused'))
  await expect(element).to.be.accessible()
  // Waits are drawn: one may be too short to be seen, but the more tries fail, the longer they get.
  const fails = (): boolean => {
    wire.cut()
    return /next try in \d+/.test(text(element))
  }
  await waitUntil(fails, 'a countdown', { timeout: 5_000 })
  wire.mute = false
  part(element, 'retry')?.focus()
  part(element, 'retry')?.click()
  await shown(element, 'link-live')
  await element.updateComplete
  expect(element.shadowRoot?.activeElement).to.equal(part(element, 'live'))
})

for (const [code, state] of [
  [4001, 'unauthorized'],
  [4003, 'forbidden'],
  [4006, 'incompatible'],
  [4009, 'unavailable'],
] as const) {
  it(`says ${state} in words, with a way to try again`, async () => {
    const element = await live()
    await shown(element, 'link-live')
    const event = oneEvent(element, 'mqtt-status-link')
    wire.cut(code)
    expect((await event).detail.state).to.equal(state)
    await element.updateComplete
    expect(part(element, 'retry')).to.exist
    await expect(element).to.be.accessible()
  })
}

it('says that the server can’t be reached at first, with a way to try again', async () => {
  wire.mute = true
  const element = await live()
  await shown(element, 'loading')
  expect(part(element, 'retry')).to.equal(null)
  wire.cut()
  await waitUntil(() => text(element).includes('The server can’t be reached'))
  expect(element.link).to.equal('connecting')
  expect(element.matches(':state(loading)')).to.equal(false)
  await expect(element).to.be.accessible()
  wire.mute = false
  part(element, 'retry')?.click()
  await shown(element, 'link-live')
})

it('says what the server asks of the page, not of the person', async () => {
  const element = await live()
  await shown(element, 'link-live')
  wire.cut(4001)
  await waitUntil(() => text(element).includes('asks for a token, and none is set'))
  wire.client.refresh()
  await shown(element, 'link-live')
  wire.cut(4003)
  await waitUntil(() => text(element).includes('This page has no access to the server'))
})

it('takes no room while the feed is live, with hide-when-live', async () => {
  const element = await live(html`<mqtt-status-live lang="en" hide-when-live></mqtt-status-live>`)
  await shown(element, 'link-live')
  expect(element.offsetHeight).to.equal(0)
  wire.mute = true
  wire.cut()
  await shown(element, 'link-stale')
  expect(element.offsetHeight).to.be.greaterThan(0)
})

for (const hours of [-1, 1])
  it(`counts down by the server’s clock, which is ${hours} h ahead`, async () => {
    wire.client.close()
    wire = new Wire({ aheadMs: hours * 3_600_000 })
    const element = await live()
    await shown(element, 'link-live')
    wire.mute = true
    // Waits are drawn: one may be too short to be seen. None is longer than 20 seconds.
    const fails = (): boolean => {
      wire.cut()
      return /next try in 1?\d s/.test(text(element))
    }
    await waitUntil(fails, text(element), { timeout: 8_000 })
  })
