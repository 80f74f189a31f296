import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusLive } from '../../src/index.ts'
import '../../src/define.ts'
import { part, show, shown, text } from './stage.ts'
import { FakeServer } from './fake-server.ts'

let server: FakeServer

function live(template = html`<mqtt-status-live lang="en"></mqtt-status-live>`) {
  return show<MqttStatusLive>(server, template)
}

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

it('a live element opens a transport, also as the only element', async () => {
  const element = await live()
  await shown(element, 'link-live')
  await element.updateComplete
  expect(text(element)).to.equal('Live')
  await expect(element).to.be.accessible()
})

it('a live element shows that updates are paused, counts down, and opens a transport at once on Retry', async () => {
  const element = await live()
  await shown(element, 'link-live')
  server.mute = true
  server.close()
  await shown(element, 'link-stale')
  await waitUntil(() => text(element).includes('Updates paused'))
  await expect(element).to.be.accessible()
  // Waits are random: one may be too short to be seen, but they grow with each failed attempt.
  const fails = (): boolean => {
    server.close()
    return /next try in \d+/.test(text(element))
  }
  await waitUntil(fails, 'a countdown', { timeout: 5_000 })
  server.mute = false
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
  it(`a live element shows ${state} in words, with a Retry button`, async () => {
    const element = await live()
    await shown(element, 'link-live')
    const event = oneEvent(element, 'mqtt-status-link')
    server.close(code)
    expect((await event).detail.state).to.equal(state)
    await element.updateComplete
    expect(part(element, 'retry')).to.exist
    await expect(element).to.be.accessible()
  })
}

it('a live element shows that the server can’t be reached before it was live, with a Retry button', async () => {
  server.mute = true
  const element = await live()
  await shown(element, 'loading')
  expect(part(element, 'retry')).to.equal(null)
  server.close()
  await waitUntil(() => text(element).includes('The server can’t be reached'))
  expect(element.link).to.equal('connecting')
  expect(element.matches(':state(loading)')).to.equal(false)
  await expect(element).to.be.accessible()
  server.mute = false
  part(element, 'retry')?.click()
  await shown(element, 'link-live')
})

it('a live element has different words for a page without access and a viewer without a session', async () => {
  const element = await live()
  await shown(element, 'link-live')
  server.close(4001)
  await waitUntil(() => text(element).includes('asks for a token, and none is set'))
  server.client.refresh()
  await shown(element, 'link-live')
  server.close(4003)
  await waitUntil(() => text(element).includes('This page has no access to the server'))
})

it('a live element with hide-when-live takes no room while the feed is live', async () => {
  const element = await live(html`<mqtt-status-live lang="en" hide-when-live></mqtt-status-live>`)
  await shown(element, 'link-live')
  expect(element.offsetHeight).to.equal(0)
  server.mute = true
  server.close()
  await shown(element, 'link-stale')
  expect(element.offsetHeight).to.be.greaterThan(0)
})

for (const hours of [-1, 1])
  it(`a live element counts down by the server’s clock, which is ${hours} h ahead`, async () => {
    server.client.close()
    server = new FakeServer({ aheadMs: hours * 3_600_000 })
    const element = await live()
    await shown(element, 'link-live')
    server.mute = true
    // Waits are random: one may be too short to be seen, and none is longer than 20 seconds.
    const fails = (): boolean => {
      server.close()
      return /next try in 1?\d s/.test(text(element))
    }
    await waitUntil(fails, text(element), { timeout: 8_000 })
  })
