/** A command belongs to the connection that was shown at the click, although the element shows another one by now. */
import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { button, part, listen, serve, show as put, shown, text } from './stage.ts'
import type { Answer } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer
let said: readonly string[]
let stopListening: () => void

/** Responds to the requests once the test releases them. */
function serveLater(): { asked: Request[]; refuse: () => void } {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const refuse = (): void => {
    resolve({ status: 503, body: { code: 'database_unavailable' } })
  }
  return { asked: serve(() => promise), refuse }
}

async function show(confirm = 'none'): Promise<MqttStatusCard> {
  const card = await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="a" lang="en" confirm=${confirm}></mqtt-status-card>`,
  )
  await shown(card, 'link-live')
  return card
}

async function turnTo(card: MqttStatusCard, id: string): Promise<void> {
  card.setAttribute('connection-id', id)
  await card.updateComplete
  await waitUntil(() => card.connection?.id === id && text(card).includes(`Plant ${id}`))
}

function inside(card: Element, selector: string): HTMLElement | null {
  return card.shadowRoot?.querySelector<HTMLElement>(selector) ?? null
}

beforeEach(() => {
  ;({ said, stop: stopListening } = listen())
  server = new FakeServer({ rows: ['a', 'b'].map((id) => row({ id, name: `Plant ${id}` })) })
})

afterEach(() => {
  stopListening()
  server.client.close()
})

it('a question closes when the element shows another connection', async () => {
  const asked = serve(() => null)
  const card = await show('all')
  button(card).click()
  await waitUntil(() => inside(card, '.yes'))
  await turnTo(card, 'b')
  expect(inside(card, '.yes')).to.equal(null)
  await turnTo(card, 'a')
  expect(inside(card, '.yes')).to.equal(null)
  expect(asked).to.have.length(0)
})

it('an element shows no command of its former connection, and announces its failure with that name', async () => {
  const { asked, refuse } = serveLater()
  const card = await show()
  const ended = oneEvent(card, 'mqtt-status-command-end')
  button(card).click()
  await waitUntil(() => asked.length === 1)
  await turnTo(card, 'b')
  expect(button(card).ariaBusy).to.not.equal('true')
  expect(text(card)).to.not.contain('Disconnecting')
  refuse()
  const { detail } = await ended
  expect(detail).to.include({ id: 'a', action: 'disconnect', outcome: 'failed' })
  await card.updateComplete
  expect(inside(card, '.problem')).to.equal(null)
  await waitUntil(() => said.length > 0, 'the outcome to be said')
  expect(said).to.deep.equal(['Plant a: The server can’t do this right now'])
})

it('an element sends a command for its new connection while one for the former still runs', async () => {
  const { asked, refuse } = serveLater()
  const card = await show()
  void card.disconnect()
  await turnTo(card, 'b')
  const second = card.disconnect()
  await waitUntil(() => asked.length === 2)
  refuse()
  expect((await second).outcome).to.equal('failed')
  expect(asked.map(({ url }) => new URL(url).pathname)).to.deep.equal([
    '/api/v1/connections/a/disconnect',
    '/api/v1/connections/b/disconnect',
  ])
  await waitUntil(() => inside(card, '.problem'))
})

it('a failed command is not shown on the next connection of its element', async () => {
  serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  const card = await show()
  await card.disconnect()
  await waitUntil(() => inside(card, '.problem'))
  await turnTo(card, 'b')
  expect(inside(card, '.problem')).to.equal(null)
})

it('a new status of the row does not end the wait of Retry-After', async () => {
  const headers = { 'retry-after': '3' }
  serve(() => ({ status: 429, body: { code: 'rate_limited' }, headers }))
  const card = await show()
  await card.disconnect()
  await waitUntil(() => /wait \d sec/.test(text(card)))
  server.push({ id: 'a', status: 'reconnecting', since: new Date().toISOString() })
  await shown(card, 'reconnecting')
  expect(button(card).ariaDisabled).to.equal('true')
  expect(text(card)).to.match(/wait \d sec/)
  await waitUntil(() => button(card).ariaDisabled !== 'true', 'the end', { timeout: 5_000 })
})

for (const tag of ['card', 'control']) {
  it(`a disabled button is described by the stale link rather than by the failed command before: ${tag}`, async () => {
    serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
    const card = await put<MqttStatusCard | MqttStatusControl>(
      server,
      tag === 'card'
        ? html`<mqtt-status-card connection-id="a" lang="en"></mqtt-status-card>`
        : html`<mqtt-status-control connection-id="a" lang="en"></mqtt-status-control>`,
    )
    await shown(card, 'link-live')
    await card.disconnect()
    await waitUntil(() => part(card, 'message')?.textContent?.includes('can’t do this'))
    server.mute = true
    server.close()
    await shown(card, 'stale')
    await card.updateComplete
    expect(button(card).ariaDisabled).to.equal('true')
    const described = button(card).getAttribute('aria-describedby')?.split(' ') ?? []
    const descriptions = described.map((id) =>
      card.shadowRoot?.getElementById(id)?.textContent?.trim(),
    )
    expect(descriptions).to.include('Updates paused, reconnecting…')
    expect(button(card).title).to.equal('Updates paused, reconnecting…')
  })
}

it('a command method uses the connection that the page has set, also before the element renders it', async () => {
  server = new FakeServer({ rows: [row(), row({ id: 'truro', name: 'Truro', status: 'failed' })] })
  const asked = serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  // The client already has the row.
  await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="truro" lang="en"></mqtt-status-card>`,
  )
  const card = await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(card, 'connected')
  card.setAttribute('connection-id', 'truro')
  // A click on an outdated render must send no command for either connection.
  button(card).click()
  expect(card.connection?.id).to.equal('truro')
  const ended = oneEvent(card, 'mqtt-status-command-end')
  const running = card.reconnect()
  await waitUntil(() => asked.length > 0, 'a command')
  expect((await running).outcome).to.equal('failed')
  expect((await ended).detail).to.include({ id: 'truro', action: 'reconnect' })
  expect(asked.map(({ url }) => new URL(url).pathname)).to.deep.equal([
    '/api/v1/connections/truro/reconnect',
  ])
  card.setAttribute('connection-id', 'plant-7')
  expect([card.connection?.status, card.pending]).to.deep.equal(['connected', null])
})

it('an element that is not in a document sends no command', async () => {
  server = new FakeServer()
  const asked = serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  const card = await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(card, 'connected')
  card.remove()
  card.setAttribute('connection-id', 'truro')
  expect((await card.disconnect()).outcome).to.equal('prevented')
  expect(asked).to.deep.equal([])
})
