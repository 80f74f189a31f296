import { STATUSES } from '@mqtt-status/protocol'
import type { Connection } from '@mqtt-status/protocol'
import { expect, fixture, html, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, button, serve, show as put, shown, text } from './stage.ts'
import { FakeServer } from './fake-server.ts'

let server: FakeServer

function show(
  template = html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
) {
  return put<MqttStatusCard>(server, template)
}

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
  sessionStorage.clear()
})

for (const theme of ['light', 'dark']) {
  for (const density of ['comfortable', 'compact', 'dense']) {
    it(`a card passes the accessibility audit in every status: ${theme}, ${density}`, async () => {
      const card = await show(
        html`<mqtt-status-card
          connection-id="plant-7"
          lang="en"
          theme=${theme}
          density=${density}
        ></mqtt-status-card>`,
      )
      await shown(card, 'connected')
      for (const status of STATUSES) {
        server.push({ status, reason: status === 'failed' ? 'bad_credentials' : null })
        await shown(card, status)
        await expect(card).to.be.accessible()
      }
    })
  }
}

for (const density of ['comfortable', 'compact', 'dense']) {
  it(`a card grows with the text size of the browser, and cuts off no text: ${density}`, async () => {
    const card = await show(
      html`<mqtt-status-card
        connection-id="plant-7"
        lang="en"
        density=${density}
      ></mqtt-status-card>`,
    )
    await shown(card, 'connected')
    const word = card.shadowRoot?.querySelector<HTMLElement>('.word')
    const before = word?.getBoundingClientRect().height ?? 0
    document.documentElement.style.fontSize = '200%'
    try {
      expect(word?.getBoundingClientRect().height).to.be.at.least(before * 1.9)
      const { bottom } = card.getBoundingClientRect()
      for (const part of card.shadowRoot?.querySelectorAll('.name, .word, .message, button') ??
        []) {
        expect(part.getBoundingClientRect().bottom, part.className).to.be.at.most(bottom)
        expect(part.scrollHeight, part.className).to.be.at.most(part.clientHeight + 2)
      }
    } finally {
      document.documentElement.style.fontSize = ''
    }
  })
}

it('a card shows name, status word, icon and time of its row, and dispatches ready', async () => {
  const card = await fixture<MqttStatusCard>(
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  setTimeout(() => (card.client = server.client))
  const { detail } = await oneEvent(card, 'mqtt-status-ready')
  expect(detail.connection.id).to.equal('plant-7')
  expect(text(card)).to.contain('Impianto 7').and.contain('Connected')
  expect(card.shadowRoot?.querySelector('time')?.dateTime).to.equal(card.connection?.since)
  expect(card.shadowRoot?.querySelector('svg')).to.exist
})

it('a card uses the language of the nearest lang attribute', async () => {
  const section = await fixture(
    html`<section lang="it">
      <mqtt-status-card connection-id="plant-7"></mqtt-status-card>
    </section>`,
  )
  const card = section.querySelector('mqtt-status-card') as MqttStatusCard
  card.client = server.client
  await shown(card, 'connected')
  await waitUntil(() => text(card).includes('Connesso'), 'the language', { timeout: 5_000 })
  expect(text(card)).to.contain('Disconnetti')
  card.lang = 'en'
  await waitUntil(() => text(card).includes('Connected'))
})

it('a card shows a skeleton until the first answer, and a message if the server has no such row', async () => {
  server.mute = true
  const card = await show()
  await shown(card, 'loading')
  await expect(card).to.be.accessible()
  server = new FakeServer({ rows: [] })
  card.client = server.client
  await shown(card, 'missing')
  expect(text(card)).to.contain('not found')
  await expect(card).to.be.accessible()
})

it('a card without a server shows that none is set', async () => {
  const card = await fixture<MqttStatusCard>(
    html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
  )
  expect(text(card)).to.match(/server/i)
})

it('a card shows the reason of a failure in words, and the text of the broker behind Details', async () => {
  const card = await show()
  await shown(card, 'connected')
  server.push({
    status: 'failed',
    reason: 'bad_credentials',
    detail: 'Connection refused: <b>bad</b>',
  })
  await shown(card, 'negative')
  expect(text(card)).to.contain('credentials')
  expect(card.shadowRoot?.querySelector('#detail code')?.textContent).to.equal(
    'Connection refused: <b>bad</b>',
  )
})

it('a click makes the card pending at once, keeps the focus, ignores a second click, and ends with the row that settles it', async () => {
  const asked = serve(() =>
    accepted({ generation: 2, desired: 'disconnected', desiredAt: new Date().toISOString() }),
  )
  const card = await show()
  await shown(card, 'connected')
  button(card).focus()
  button(card).click()
  await card.updateComplete
  expect(card.matches(':state(pending)')).to.equal(true)
  expect(button(card).getAttribute('aria-disabled')).to.equal('true')
  expect(button(card).disabled).to.equal(false)
  button(card).click()
  expect(text(card)).to.contain('Connected')
  const ended = oneEvent(card, 'mqtt-status-command-end')
  await waitUntil(() => asked.length === 1, 'the request', { timeout: 5_000 })
  server.push({
    status: 'disconnecting',
    desired: 'disconnected',
    generation: 2,
    observedGeneration: 2,
  })
  server.push({ status: 'disconnected' })
  expect((await ended).detail).to.include({ action: 'disconnect', outcome: 'done', code: null })
  await shown(card, 'disconnected')
  await waitUntil(() => !card.matches(':state(pending)'))
  expect(asked).to.have.length(1)
  expect(asked[0]?.url).to.equal('http://status.test/api/v1/connections/plant-7/disconnect')
  expect(asked[0]?.headers.get('idempotency-key')).to.match(/^[0-9a-f]{32}$/)
  expect(card.shadowRoot?.activeElement).to.equal(button(card))
})

it('every card of a connection shows a pending command', async () => {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString() }))
  const [one, other] = [await show(), await show()]
  await Promise.all([shown(one, 'connected'), shown(other, 'connected')])
  void one.disconnect()
  await shown(other, 'pending')
  expect(button(other).getAttribute('aria-disabled')).to.equal('true')
})

it('a card sends no command when the page prevents the event', async () => {
  const asked = serve(() => accepted({}))
  const card = await show()
  await shown(card, 'connected')
  card.addEventListener('mqtt-status-command', (event) => event.preventDefault())
  expect(await card.disconnect()).to.deep.equal({ outcome: 'prevented', code: null })
  expect(card.matches(':state(pending)')).to.equal(false)
  expect(asked).to.have.length(0)
})

it('a card shows why a command failed, and enables its button again', async () => {
  serve(() => ({ status: 503, body: { code: 'database_unavailable' } }))
  const card = await show()
  await shown(card, 'connected')
  const { outcome, code } = await card.disconnect()
  expect({ outcome, code }).to.deep.equal({ outcome: 'failed', code: 'database_unavailable' })
  await card.updateComplete
  expect(card.shadowRoot?.querySelector('.problem')).to.exist
  expect(button(card).getAttribute('aria-disabled')).to.not.equal('true')
  serve(() => null)
  expect((await card.disconnect()).code).to.equal('unreachable')
})

it('a card removes its button when the server forbids the command, shows why, and keeps the focus inside', async () => {
  serve(() => ({ status: 403, body: { code: 'forbidden' } }))
  const card = await show()
  await shown(card, 'connected')
  button(card).focus()
  button(card).click()
  await waitUntil(() => text(card).includes('You may not do this'), 'the message', {
    timeout: 3_000,
  })
  expect(card.shadowRoot?.querySelector('[part~="control"]')).to.equal(null)
  expect(card.shadowRoot?.activeElement).to.exist
})

it('a card with confirm opens a question first, and closes it on Escape', async () => {
  const asked = serve(() => accepted({ generation: 2 }))
  const card = await show(
    html`<mqtt-status-card
      connection-id="plant-7"
      lang="en"
      confirm="disconnect"
    ></mqtt-status-card>`,
  )
  await shown(card, 'connected')
  button(card).click()
  await waitUntil(() => card.shadowRoot?.activeElement?.classList.contains('no'))
  card.shadowRoot?.activeElement?.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }),
  )
  await waitUntil(() => card.shadowRoot?.querySelector('.no') === null)
  expect(asked).to.have.length(0)
})

it('a card has no button for a viewer without control, and a disabled one with the reason where controls is "show"', async () => {
  server = new FakeServer({ can: ['view'] })
  const card = await show()
  await shown(card, 'connected')
  expect(card.shadowRoot?.querySelector('button')).to.equal(null)
  const always = await show(
    html`<mqtt-status-card connection-id="plant-7" lang="en" controls="show"></mqtt-status-card>`,
  )
  await shown(always, 'connected')
  expect(button(always).getAttribute('aria-disabled')).to.equal('true')
  await expect(always).to.be.accessible()
})

it('a card reserves no room for a button that the viewer does not get, on the next page from the first paint on', async () => {
  server = new FakeServer({ can: ['view'] })
  const first = await show()
  const skeleton = first.offsetHeight
  await shown(first, 'connected')
  await waitUntil(() => first.offsetHeight < skeleton, 'a lower card')
  const { offsetHeight } = first
  first.remove()
  server.client.close()
  server = new FakeServer({ can: ['view'] })
  // The card has its client before it renders, as on a page that names its server.
  const second = await show(
    html`<mqtt-status-card
      connection-id="plant-7"
      lang="en"
      .client=${server.client}
    ></mqtt-status-card>`,
  )
  const heights = new Set([second.offsetHeight])
  const watching = new ResizeObserver(() => heights.add(second.offsetHeight))
  watching.observe(second)
  await shown(second, 'connected')
  await second.updateComplete
  heights.add(second.offsetHeight)
  watching.disconnect()
  expect([...heights]).to.deep.equal([offsetHeight])
})

it('on a first visit a card keeps its height when its button appears', async () => {
  const card = await show()
  const { offsetHeight } = card
  await shown(card, 'connected')
  button(card)
  expect(card.offsetHeight).to.equal(offsetHeight)
})

it('a card offers Connect when off, Reconnect and Stop trying when failed, and no button for an observed connection', async () => {
  const card = await show()
  await shown(card, 'connected')
  server.push({ status: 'disconnected', desired: 'disconnected' })
  await shown(card, 'disconnected')
  expect(button(card).textContent).to.contain('Connect')
  server.push({ status: 'failed', desired: 'connected' })
  await shown(card, 'failed')
  expect(text(card)).to.contain('Reconnect').and.contain('Stop trying')
  server.push({ managed: false })
  await waitUntil(() => card.shadowRoot?.querySelector('button') === null)
})

it('a card keeps the last row when the transport closes, is stale after a second, and disables its button with the reason', async () => {
  const card = await show()
  await shown(card, 'link-live')
  server.close()
  expect(card.matches(':state(stale)')).to.equal(false)
  server.mute = true
  await shown(card, 'stale')
  expect(text(card))
    .to.contain('Connected')
    .and.match(/as of \d/)
  expect(button(card).getAttribute('aria-disabled')).to.equal('true')
  await expect(card).to.be.accessible()
  server.mute = false
  server.close()
  await shown(card, 'link-live')
})

it('a card is stale while the feed is stale, although the transport is open', async () => {
  const card = await show()
  await shown(card, 'link-live')
  server.send({ type: 'feed', state: 'stale', since: new Date().toISOString() })
  await shown(card, 'link-stale')
  server.send({ type: 'feed', state: 'live', since: new Date().toISOString() })
  await shown(card, 'link-live')
})

for (const [code, state] of [
  [4001, 'unauthorized'],
  [4003, 'forbidden'],
  [4006, 'incompatible'],
  [4009, 'unavailable'],
] as const) {
  it(`after a close with ${code} a card is ${state} and has a Retry button`, async () => {
    const card = await show()
    await shown(card, 'link-live')
    const error = oneEvent(card, 'mqtt-status-link')
    server.close(code)
    expect((await error).detail.state).to.equal(state)
    await shown(card, `link-${state}`)
    await expect(card).to.be.accessible()
    card.shadowRoot?.querySelector<HTMLButtonElement>('.retry')?.click()
    await shown(card, 'link-live')
  })
}

for (const [lang, loading, words] of [
  ['en', 'Loading…', 'The server can’t be reached, trying again…'],
  ['it', 'Caricamento…', 'Il server non è raggiungibile, nuovo tentativo…'],
] as const) {
  it(`a card without an answer shows that the server can’t be reached, and Retry opens a transport: ${lang}`, async () => {
    server.mute = true
    const card = await show(
      html`<mqtt-status-card connection-id="plant-7" lang=${lang}></mqtt-status-card>`,
    )
    await shown(card, 'loading')
    // The words of the language may not be loaded yet.
    await waitUntil(() => text(card).includes(loading), loading)
    const error = oneEvent(card, 'mqtt-status-error')
    server.close()
    expect((await error).detail).to.deep.equal({ code: 'unreachable', message: words })
    await waitUntil(() => text(card).includes(words))
    expect(card.link).to.equal('connecting')
    expect(card.matches(':state(loading)')).to.equal(false)
    await expect(card).to.be.accessible()
    server.mute = false
    card.shadowRoot?.querySelector<HTMLButtonElement>('.retry')?.click()
    await shown(card, 'connected')
  })
}

it('a card has different words for an expired session, a page without a token, and a page without access', async () => {
  const card = await show()
  await shown(card, 'connected')
  server.close(4001)
  await waitUntil(() => text(card).includes('The server asks for a token, and none is set'))
  server.client.refresh()
  await shown(card, 'connected')
  server.close(4003)
  await waitUntil(() => text(card).includes('This page has no access to the server'))
  server.client.close()
  server = new FakeServer({ token: 'x' })
  card.client = server.client
  await shown(card, 'link-live')
  server.close(4001)
  await waitUntil(() => text(card).includes('Session expired, sign in again'))
})

it('a card does not show the device of a connection that is disconnected on purpose as silent', async () => {
  const card = await show()
  await shown(card, 'connected')
  const lastMessageAt = new Date(Date.now() - 32_000).toISOString()
  server.push({ device: 'stale', lastMessageAt })
  await waitUntil(() => text(card).includes('Device silent · last message 30 sec ago'))
  server.push({ status: 'disconnected', desired: 'disconnected', reason: 'command' })
  await shown(card, 'disconnected')
  await waitUntil(() => text(card).includes('Last message 30 sec ago'))
  expect(text(card)).to.not.contain('silent')
  server.push({ lastMessageAt: null })
  await waitUntil(() => card.shadowRoot?.querySelector('[part="device"]') === null)
})

it('the icon of a button takes the colour that the page sets on the button', async () => {
  const style = document.createElement('style')
  style.textContent = 'mqtt-status-card::part(control) { color: rgb(255, 0, 0) }'
  document.head.append(style)
  const card = await show()
  await shown(card, 'connected')
  const glyph = card.shadowRoot?.querySelector('.glyph')
  expect(glyph).to.exist
  expect(getComputedStyle(glyph as Element).color).to.match(/^color\(srgb 1 0 0 \/ 0\.72\)$/)
  style.remove()
})

it('a card dispatches a change event with both values', async () => {
  const card = await show()
  await shown(card, 'connected')
  const change = oneEvent(card, 'mqtt-status-change')
  server.push({ status: 'reconnecting', reason: 'connection_reset' })
  const { detail } = await change
  expect(detail.previous.status).to.equal('connected')
  expect(detail.connection).to.include({ status: 'reconnecting', reason: 'connection_reset' })
  expect(detail.replay).to.equal(false)
})

it('a card shows a connection as lost after 30 s of reconnecting', async () => {
  const card = await show()
  await shown(card, 'connected')
  server.push({ status: 'reconnecting', since: new Date(Date.now() - 29_000).toISOString() })
  await shown(card, 'progress')
  await shown(card, 'warning')
  expect(text(card)).to.contain('Connection lost')
})

it('a card shows a status that it does not know as unknown, with its value in the tooltip', async () => {
  const card = await show()
  await shown(card, 'connected')
  server.push({ status: 'hibernating' as Connection['status'] })
  await shown(card, 'hibernating')
  expect(card.shadowRoot?.querySelector('[title="hibernating"]')).to.exist
})
