import { STATUSES } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import { expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusBadge } from '../../src/index.ts'
import '../../src/define.ts'
import { part, show, shown, text } from './stage.ts'
import { FakeServer } from './fake-server.ts'

let server: FakeServer

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

for (const variant of ['label', 'icon', 'dot', 'text']) {
  for (const theme of ['light', 'dark']) {
    it(`a badge passes the accessibility audit and has the status word in every status: ${variant}, ${theme}`, async () => {
      const badge = await show<MqttStatusBadge>(
        server,
        html`<mqtt-status-badge
          connection-id="plant-7"
          lang="en"
          variant=${variant}
          theme=${theme}
        ></mqtt-status-badge>`,
      )
      for (const status of STATUSES) {
        server.push({ status, desired: 'connected', reason: null })
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

it('a badge with a dot only draws a different shape for each tone', async () => {
  const badge = await show<MqttStatusBadge>(
    server,
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
    server.push(look)
    await shown(badge, ['positive', 'progress', 'warning', 'negative', 'neutral'][i] ?? '')
    await badge.updateComplete
    shapes.add(
      badge.shadowRoot?.querySelector('svg')?.outerHTML.replaceAll(/<!--.*?-->/g, '') ?? '',
    )
  }
  expect(shapes.size).to.equal(5)
})

it('a badge has the height of its size in every state', async () => {
  for (const [size, height] of [
    ['s', 20],
    ['m', 24],
    ['l', 28],
  ] as const) {
    const badge = await show<MqttStatusBadge>(
      server,
      html`<mqtt-status-badge connection-id="plant-7" lang="en" size=${size}></mqtt-status-badge>`,
    )
    await shown(badge, 'link-live')
    expect(part(badge, 'badge')?.getBoundingClientRect().height).to.equal(height)
  }
})

it('a badge with href is a link, unless the href would run a script', async () => {
  const badge = await show<MqttStatusBadge>(
    server,
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

it('a badge keeps the status word while the link is stale, and adds the time of the last update', async () => {
  const badge = await show<MqttStatusBadge>(
    server,
    html`<mqtt-status-badge connection-id="plant-7" lang="it"></mqtt-status-badge>`,
  )
  await shown(badge, 'link-live')
  server.mute = true
  server.close()
  await shown(badge, 'stale')
  await badge.updateComplete
  await waitUntil(() => text(badge).includes('Connesso'), 'the language', { timeout: 5_000 })
  expect(text(badge)).to.match(/ultimo dato: \d/)
  await expect(badge).to.be.accessible()
})

it('a badge without a row shows why', async () => {
  server = new FakeServer({ rows: [] })
  const badge = await show<MqttStatusBadge>(
    server,
    html`<mqtt-status-badge connection-id="plant-7" lang="en"></mqtt-status-badge>`,
  )
  await shown(badge, 'missing')
  await badge.updateComplete
  expect(text(badge)).to.contain('Connection not found')
  await expect(badge).to.be.accessible()
})

it('a badge shows that the server can’t be reached before the first row', async () => {
  server.mute = true
  const badge = await show<MqttStatusBadge>(
    server,
    html`<mqtt-status-badge connection-id="plant-7" lang="en"></mqtt-status-badge>`,
  )
  await shown(badge, 'loading')
  server.close()
  await waitUntil(() => text(badge).includes('The server can’t be reached'))
  await expect(badge).to.be.accessible()
})
