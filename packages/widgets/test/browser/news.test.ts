/** Which changes are announced to users of screen readers, and which are not. */
import { aTimeout, expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, listen, serve, show as put, shown } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer
let said: readonly string[]
let stopListening: () => void

/** Longer than the announcer batches. */
const SILENCE_MS = 1_600

const FAILED = { status: 'failed', reason: 'quota' } as const

async function show(announce = 'problems'): Promise<MqttStatusCard> {
  const card = await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card
      connection-id="plant-7"
      lang="en"
      announce=${announce}
    ></mqtt-status-card>`,
  )
  await shown(card, 'link-live')
  return card
}

function accept(change: Parameters<typeof accepted>[0]): void {
  serve(() => accepted({ generation: 2, desiredAt: new Date().toISOString(), ...change }))
}

async function somethingSaid(): Promise<void> {
  await waitUntil(() => said.length > 0, 'an announcement', { timeout: 4_000 })
}

beforeEach(() => {
  ;({ said, stop: stopListening } = listen())
  server = new FakeServer()
})

afterEach(() => {
  stopListening()
  server.client.close()
})

for (const afterMs of [500, 1_400]) {
  it(`a command that succeeds after ${afterMs} ms is announced once, without the former problem`, async () => {
    server = new FakeServer({ rows: [row(FAILED)] })
    accept(FAILED)
    const [card] = [await show(), await show()]
    const ended = card.reconnect()
    await shown(card, 'pending')
    await aTimeout(afterMs)
    server.push({
      status: 'connected',
      reason: null,
      generation: 2,
      observedGeneration: 2,
      revision: 9,
    })
    expect((await ended).outcome).to.equal('done')
    await aTimeout(SILENCE_MS)
    expect(said).to.deep.equal(['Impianto 7: connected again'])
  })
}

it('a problem right after a command is announced', async () => {
  server = new FakeServer({ rows: [row(FAILED)] })
  accept(FAILED)
  const card = await show()
  const ended = card.reconnect()
  await shown(card, 'pending')
  const done = { generation: 2, observedGeneration: 2, status: 'connected' } as const
  server.push({ ...done, reason: null, revision: 9 })
  await ended
  server.push({ ...done, reason: 'subscription_denied', revision: 10 })
  await waitUntil(() => said.length > 1, said.join(), { timeout: 4_000 })
  expect(said[0]).to.equal('Impianto 7: connected again')
  expect(said[1]).to.contain('Impianto 7: Connected. ').and.contain('subscription')
})

it('the result of a command is announced with announce="off", too, and with the name at the click', async () => {
  server = new FakeServer({ rows: [row(FAILED), row({ id: 'other', name: 'Other' })] })
  accept(FAILED)
  const card = await show('off')
  const ended = card.reconnect()
  await shown(card, 'pending')
  card.connectionId = 'other'
  await card.updateComplete
  server.push({ ...FAILED, generation: 2, observedGeneration: 2, revision: 9 })
  await ended
  await aTimeout(SILENCE_MS)
  expect(said).to.have.length(1)
  expect(said[0]).to.contain('Impianto 7: Error. ')
})

it('an element whose words throw does not prevent the announcements of others', async () => {
  server = new FakeServer({ rows: [row(), row({ id: 'other', name: 'Other' })] })
  const card = await show()
  const other = await put<MqttStatusCard>(
    server,
    html`<mqtt-status-card connection-id="other" lang="en"></mqtt-status-card>`,
  )
  await shown(other, 'link-live')
  const uncaught: string[] = []
  const hear = window.onerror
  window.onerror = (message) => {
    uncaught.push(String(message))
    return true
  }
  // The element still renders: only its words for the announcement throw.
  Object.defineProperty(card, 'displayName', {
    get: () => {
      if (new Error().stack?.includes('flush')) throw new Error('no words')
      return 'Impianto 7'
    },
  })
  server.push({ ...FAILED })
  server.push({ id: 'other', ...FAILED })
  await somethingSaid()
  expect(said[0]).to.contain('Other: Error')
  await waitUntil(() => uncaught.length > 0)
  expect(uncaught.join()).to.contain('no words')
  window.onerror = hear
})

it('a command that leads to a failed connection is announced with the reason of the failure', async () => {
  server = new FakeServer({ rows: [row(FAILED)] })
  accept(FAILED)
  const card = await show()
  const ended = card.reconnect()
  await shown(card, 'pending')
  server.push({ ...FAILED, generation: 2, observedGeneration: 2, revision: 9 })
  await ended
  await somethingSaid()
  await aTimeout(SILENCE_MS)
  expect(said).to.have.length(1)
  expect(said[0]).to.contain('Impianto 7: Error. ')
})

it('announces the result of a command of another viewer, but not the command', async () => {
  const ids = ['lost', 'failed']
  server = new FakeServer({
    rows: [
      row({ id: 'lost', name: 'Lost', status: 'disconnected', reason: 'admin_action' }),
      row({ id: 'failed', name: 'Failed', ...FAILED }),
    ],
  })
  for (const id of ids) {
    const card = await put<MqttStatusCard>(
      server,
      html`<mqtt-status-card connection-id=${id} lang="en"></mqtt-status-card>`,
    )
    await shown(card, 'link-live')
  }
  const desiredAt = new Date().toISOString()
  for (const id of ids) server.push({ id, generation: 2, desiredAt })
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  for (const id of ids) server.push({ id, observedGeneration: 2, status: 'connecting' })
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  server.push({ id: 'failed', status: 'connected', reason: null })
  await somethingSaid()
  expect(said).to.deep.equal(['Failed: Connected'])
})

it('a problem that ends within a second is not announced', async () => {
  const card = await show()
  server.push({ ...FAILED })
  await shown(card, 'failed')
  server.push({ status: 'connected', reason: null })
  await shown(card, 'connected')
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  server.push({ ...FAILED })
  await somethingSaid()
  expect(said[0]).to.contain('Impianto 7: Error')
})

it('with announce="all" progress is announced, too', async () => {
  await show('all')
  server.push({ status: 'disconnecting', desired: 'disconnected' })
  await somethingSaid()
  server.push({ status: 'disconnected' })
  await waitUntil(() => said.length > 1, 'the end', { timeout: 4_000 })
  expect(said).to.deep.equal(['Impianto 7: Disconnecting…', 'Impianto 7: Disconnected'])
})

describe('with modal dialogs', () => {
  const made: Element[] = []

  afterEach(() => {
    for (const element of made.splice(0)) element.remove()
  })

  function add(element: HTMLElement, home: ParentNode = document.body): HTMLElement {
    if (home === document.body) made.push(element)
    home.append(element)
    return element
  }

  function dialog(home?: ParentNode): HTMLDialogElement {
    const dialog = document.createElement('dialog')
    dialog.append(document.createElement('button'))
    return add(dialog, home) as HTMLDialogElement
  }

  async function heardIn(home: Element): Promise<void> {
    await waitUntil(
      () => home.querySelector(':scope > [data-mqtt-status-announcer]')?.textContent !== '',
      'the region',
      { timeout: 4_000 },
    )
    expect(home.querySelector(':scope > [data-mqtt-status-announcer]')?.textContent).to.contain(
      'Impianto 7: Error',
    )
  }

  it('the announcer uses the dialog that was opened last, in any order of the document', async () => {
    await show()
    const top = dialog()
    const below = dialog()
    below.showModal()
    top.showModal()
    server.push({ ...FAILED })
    await waitUntil(() => top.querySelector('[data-mqtt-status-announcer] p'), 'the announcement', {
      timeout: 4_000,
    })
    await heardIn(top)
    expect(below.querySelector('[data-mqtt-status-announcer]')).to.equal(null)
  })

  it('the announcer uses a dialog inside a shadow root, also without the focus', async () => {
    const card = await show()
    const host = document.createElement('div')
    const root = host.attachShadow({ mode: 'open' })
    const modal = dialog(root)
    modal.append(document.createElement('slot'))
    add(host).append(card)
    await shown(card, 'link-live')
    modal.showModal()
    ;(root.activeElement as HTMLElement | null)?.blur()
    expect(document.activeElement).to.equal(document.body)
    server.push({ ...FAILED })
    await waitUntil(
      () => modal.querySelector('[data-mqtt-status-announcer] p'),
      'the announcement',
      {
        timeout: 4_000,
      },
    )
    await heardIn(modal)
  })
})
