import { STATUSES } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import { expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusBadge } from '../../src/index.ts'
import '../../src/define.ts'
import { part, show, shown, text } from './stage.ts'
import { Wire } from './wire.ts'

let wire: Wire

beforeEach(() => {
  wire = new Wire()
})

afterEach(() => {
  wire.client.close()
})

for (const variant of ['label', 'icon', 'dot', 'text']) {
  for (const theme of ['light', 'dark']) {
    it(`passes the accessibility audit in every status and says the word: ${variant}, ${theme}`, async () => {
      const badge = await show<MqttStatusBadge>(
        wire,
        html`<mqtt-status-badge
          connection-id="plant-7"
          lang="en"
          variant=${variant}
          theme=${theme}
        ></mqtt-status-badge>`,
      )
      for (const status of STATUSES) {
        wire.push({ status, desired: 'connected', reason: null })
        await shown(badge, status)
        await badge.updateComplete
        const word = badge.shadowRoot?.querySelector('.word')?.textContent ?? ''
        expect(word).to.not.equal('')
        expect(text(badge)).to.contain('Impianto 7')
        await expect(badge).to.be.accessible()
      }
    })
  }
}

it('draws another shape for every tone where there is only a dot', async () => {
  const badge = await show<MqttStatusBadge>(
    wire,
    html`<mqtt-status-badge connection-id="plant-7" lang="en" variant="dot"></mqtt-status-badge>`,
  )
  const shapes = new Set<string>()
  const looks: Partial<Connection>[] = [
    { status: 'connected' },
    { status: 'connecting' },
    { status: 'disconnected', desired: 'connected' },
    { status: 'failed' },
    { status: 'disconnected', desired: 'disconnected' },
  ]
  for (const [i, look] of looks.entries()) {
    wire.push(look)
    await shown(badge, ['positive', 'progress', 'warning', 'negative', 'neutral'][i] ?? '')
    await badge.updateComplete
    shapes.add(
      badge.shadowRoot?.querySelector('svg')?.outerHTML.replaceAll(/<!--.*?-->/g, '') ?? '',
    )
  }
  expect(shapes.size).to.equal(5)
})

it('is as high as its size says, in every state', async () => {
  for (const [size, height] of [
    ['s', 20],
    ['m', 24],
    ['l', 28],
  ] as const) {
    const badge = await show<MqttStatusBadge>(
      wire,
      html`<mqtt-status-badge connection-id="plant-7" lang="en" size=${size}></mqtt-status-badge>`,
    )
    await shown(badge, 'link-live')
    expect(part(badge, 'badge')?.getBoundingClientRect().height).to.equal(height)
  }
})

it('is a link with href, and never one that runs script', async () => {
  const badge = await show<MqttStatusBadge>(
    wire,
    html`<mqtt-status-badge connection-id="plant-7" lang="en" href="#there"
      >MQTT</mqtt-status-badge
    >`,
  )
  await shown(badge, 'connected')
  expect(part(badge, 'badge')?.localName).to.equal('a')
  await expect(badge).to.be.accessible()
  badge.href = 'javascript:alert(1)'
  await badge.updateComplete
  expect(part(badge, 'badge')?.localName).to.equal('span')
})

it('keeps the word when the line is lost, and says of when it is', async () => {
  const badge = await show<MqttStatusBadge>(
    wire,
    html`<mqtt-status-badge connection-id="plant-7" lang="it"></mqtt-status-badge>`,
  )
  await shown(badge, 'link-live')
  wire.mute = true
  wire.cut()
  await shown(badge, 'stale')
  await badge.updateComplete
  await waitUntil(() => text(badge).includes('Connesso'), 'the language', { timeout: 5_000 })
  expect(text(badge)).to.match(/ultimo dato: \d/)
  await expect(badge).to.be.accessible()
})

it('says in words why there is nothing to show', async () => {
  wire = new Wire({ rows: [] })
  const badge = await show<MqttStatusBadge>(
    wire,
    html`<mqtt-status-badge connection-id="plant-7" lang="en"></mqtt-status-badge>`,
  )
  await shown(badge, 'missing')
  await badge.updateComplete
  expect(text(badge)).to.contain('Connection not found')
  await expect(badge).to.be.accessible()
})

it('says that the server can’t be reached at first', async () => {
  wire.mute = true
  const badge = await show<MqttStatusBadge>(
    wire,
    html`<mqtt-status-badge connection-id="plant-7" lang="en"></mqtt-status-badge>`,
  )
  await shown(badge, 'loading')
  wire.cut()
  await waitUntil(() => text(badge).includes('The server can’t be reached'))
  await expect(badge).to.be.accessible()
})
