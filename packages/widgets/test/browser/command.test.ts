/** A command belongs to the connection that it was given to, whatever its element shows by now. */
import { expect, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl } from '../../src/index.ts'
import '../../src/define.ts'
import { answerCommands, button, part, listen, show as put, shown, text } from './stage.ts'
import { row, Wire } from './wire.ts'

let wire: Wire
let said: readonly string[]
let stopListening: () => void
let restore = (): void => undefined

function serve(answer: Parameters<typeof answerCommands>[0]): Request[] {
  restore()
  const { asked, restore: undo } = answerCommands(answer)
  restore = undo
  return asked
}

/** Responds to the requests once the test releases them. */
function serveLater(): { asked: Request[]; refuse: () => void } {
  const realFetch = window.fetch
  const asked: Request[] = []
  const { promise, resolve } = Promise.withResolvers<Response>()
  window.fetch = (input, request) => {
    asked.push(new Request(input, request))
    return promise
  }
  restore = () => {
    window.fetch = realFetch
  }
  const refuse = (): void => {
    resolve(new Response(JSON.stringify({ code: 'database_unavailable' }), { status: 503 }))
  }
  return { asked, refuse }
}

async function show(confirm = 'none'): Promise<MqttStatusCard> {
  const card = await put<MqttStatusCard>(
    wire,
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
  wire = new Wire({ rows: ['a', 'b'].map((id) => row({ id, name: `Plant ${id}` })) })
})

afterEach(() => {
  stopListening()
  restore()
  restore = () => undefined
  wire.client.close()
})

it('asks no question about a connection that was asked about another one', async () => {
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

it('shows neither the run nor the failure of another connection, and says whose it was', async () => {
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

it('takes a command for the one while that for the other still runs, and keeps them apart', async () => {
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

it('leaves a failure behind with the connection that had it', async () => {
  serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  const card = await show()
  await card.disconnect()
  await waitUntil(() => inside(card, '.problem'))
  await turnTo(card, 'b')
  expect(inside(card, '.problem')).to.equal(null)
})

it('a row that moves on does not cut short the time in which the server takes no command', async () => {
  const headers = { 'retry-after': '3' }
  serve(() => ({ status: 429, body: { code: 'rate_limited' }, headers }))
  const card = await show()
  await card.disconnect()
  await waitUntil(() => /wait \d sec/.test(text(card)))
  wire.push({ id: 'a', status: 'reconnecting', since: new Date().toISOString() })
  await shown(card, 'reconnecting')
  expect(button(card).ariaDisabled).to.equal('true')
  expect(text(card)).to.match(/wait \d sec/)
  await waitUntil(() => button(card).ariaDisabled !== 'true', 'the end', { timeout: 5_000 })
})

for (const tag of ['card', 'control']) {
  it(`describes a button that waits by the link that is down, although its command failed before: ${tag}`, async () => {
    serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
    const card = await put<MqttStatusCard | MqttStatusControl>(
      wire,
      tag === 'card'
        ? html`<mqtt-status-card connection-id="a" lang="en"></mqtt-status-card>`
        : html`<mqtt-status-control connection-id="a" lang="en"></mqtt-status-control>`,
    )
    await shown(card, 'link-live')
    await card.disconnect()
    await waitUntil(() => part(card, 'message')?.textContent?.includes('can’t do this'))
    wire.mute = true
    wire.cut()
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

it('follows at once what the page has set, also before it is drawn', async () => {
  wire = new Wire({ rows: [row(), row({ id: 'truro', name: 'Truro', status: 'failed' })] })
  const asked = serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  // Its row is known already.
  await put<MqttStatusCard>(
    wire,
    html`<mqtt-status-card connection-id="truro" lang="en"></mqtt-status-card>`,
  )
  const card = await put<MqttStatusCard>(
    wire,
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(card, 'connected')
  card.setAttribute('connection-id', 'truro')
  // A click on an outdated render means neither connection.
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

it('gives no command away from the page, where it does not know any more what is meant', async () => {
  wire = new Wire()
  const asked = serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  const card = await put<MqttStatusCard>(
    wire,
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  await shown(card, 'connected')
  card.remove()
  card.setAttribute('connection-id', 'truro')
  expect((await card.disconnect()).outcome).to.equal('prevented')
  expect(asked).to.deep.equal([])
})
