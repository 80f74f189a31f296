/** Which changes are announced to users of screen readers, and which are not. */
import { aTimeout, expect, html, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { accepted, answerCommands, listen, show as put, shown } from './stage.ts'
import { row, Wire } from './wire.ts'

let wire: Wire
let said: readonly string[]
let stopListening: () => void
let restore = (): void => undefined

/** Long enough for all that is batched to have been said. */
const SILENCE_MS = 1_600

const FAILED = { status: 'failed', reason: 'quota' } as const

async function show(announce = 'problems'): Promise<MqttStatusCard> {
  const card = await put<MqttStatusCard>(
    wire,
    html`<mqtt-status-card
      connection-id="plant-7"
      lang="en"
      announce=${announce}
    ></mqtt-status-card>`,
  )
  await shown(card, 'link-live')
  return card
}

function serve(change: Parameters<typeof accepted>[0]): void {
  restore = answerCommands(() =>
    accepted({ generation: 2, desiredAt: new Date().toISOString(), ...change }),
  ).restore
}

async function somethingSaid(): Promise<void> {
  await waitUntil(() => said.length > 0, 'something to be said', { timeout: 4_000 })
}

beforeEach(() => {
  ;({ said, stop: stopListening } = listen())
  wire = new Wire()
})

afterEach(() => {
  stopListening()
  restore()
  restore = () => undefined
  wire.client.close()
})

for (const afterMs of [500, 1_400]) {
  it(`tells a command that succeeds after ${afterMs} ms once, and no problem that there was before`, async () => {
    wire = new Wire({ rows: [row(FAILED)] })
    serve(FAILED)
    const [card] = [await show(), await show()]
    const ended = card.reconnect()
    await shown(card, 'pending')
    await aTimeout(afterMs)
    wire.push({
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

it('tells a problem that follows a command at once', async () => {
  wire = new Wire({ rows: [row(FAILED)] })
  serve(FAILED)
  const card = await show()
  const ended = card.reconnect()
  await shown(card, 'pending')
  const done = { generation: 2, observedGeneration: 2, status: 'connected' } as const
  wire.push({ ...done, reason: null, revision: 9 })
  await ended
  wire.push({ ...done, reason: 'subscription_denied', revision: 10 })
  await waitUntil(() => said.length > 1, said.join(), { timeout: 4_000 })
  expect(said[0]).to.equal('Impianto 7: connected again')
  expect(said[1]).to.contain('Impianto 7: Connected. ').and.contain('subscription')
})

it('tells what has come of a command also to who wants no changes, and by the name that it had', async () => {
  wire = new Wire({ rows: [row(FAILED), row({ id: 'other', name: 'Other' })] })
  serve(FAILED)
  const card = await show('off')
  const ended = card.reconnect()
  await shown(card, 'pending')
  card.connectionId = 'other'
  await card.updateComplete
  wire.push({ ...FAILED, generation: 2, observedGeneration: 2, revision: 9 })
  await ended
  await aTimeout(SILENCE_MS)
  expect(said).to.have.length(1)
  expect(said[0]).to.contain('Impianto 7: Error. ')
})

it('lets one text that fails silence no other', async () => {
  wire = new Wire({ rows: [row(), row({ id: 'other', name: 'Other' })] })
  const card = await show()
  const other = await put<MqttStatusCard>(
    wire,
    html`<mqtt-status-card connection-id="other" lang="en"></mqtt-status-card>`,
  )
  await shown(other, 'link-live')
  const uncaught: string[] = []
  const hear = window.onerror
  window.onerror = (message) => {
    uncaught.push(String(message))
    return true
  }
  // The element still draws: only what is read aloud fails.
  Object.defineProperty(card, 'displayName', {
    get: () => {
      if (new Error().stack?.includes('flush')) throw new Error('no words')
      return 'Impianto 7'
    },
  })
  wire.push({ ...FAILED })
  wire.push({ id: 'other', ...FAILED })
  await somethingSaid()
  expect(said[0]).to.contain('Other: Error')
  await waitUntil(() => uncaught.length > 0)
  expect(uncaught.join()).to.contain('no words')
  window.onerror = hear
})

it('does not call connected again what has failed again, and says why it did', async () => {
  wire = new Wire({ rows: [row(FAILED)] })
  serve(FAILED)
  const card = await show()
  const ended = card.reconnect()
  await shown(card, 'pending')
  wire.push({ ...FAILED, generation: 2, observedGeneration: 2, revision: 9 })
  await ended
  await somethingSaid()
  await aTimeout(SILENCE_MS)
  expect(said).to.have.length(1)
  expect(said[0]).to.contain('Impianto 7: Error. ')
})

it('announces the result of a command of another viewer, but not the command', async () => {
  const ids = ['lost', 'failed']
  wire = new Wire({
    rows: [
      row({ id: 'lost', name: 'Lost', status: 'disconnected', reason: 'admin_action' }),
      row({ id: 'failed', name: 'Failed', ...FAILED }),
    ],
  })
  for (const id of ids) {
    const card = await put<MqttStatusCard>(
      wire,
      html`<mqtt-status-card connection-id=${id} lang="en"></mqtt-status-card>`,
    )
    await shown(card, 'link-live')
  }
  const desiredAt = new Date().toISOString()
  for (const id of ids) wire.push({ id, generation: 2, desiredAt })
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  for (const id of ids) wire.push({ id, observedGeneration: 2, status: 'connecting' })
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  wire.push({ id: 'failed', status: 'connected', reason: null })
  await somethingSaid()
  expect(said).to.deep.equal(['Failed: Connected'])
})

it('tells nothing of what is over within the second', async () => {
  const card = await show()
  wire.push({ ...FAILED })
  await shown(card, 'failed')
  wire.push({ status: 'connected', reason: null })
  await shown(card, 'connected')
  await aTimeout(SILENCE_MS)
  expect(said).to.deep.equal([])
  wire.push({ ...FAILED })
  await somethingSaid()
  expect(said[0]).to.contain('Impianto 7: Error')
})

it('tells those who asked for all also what is under way', async () => {
  await show('all')
  wire.push({ status: 'disconnecting', desired: 'disconnected' })
  await somethingSaid()
  wire.push({ status: 'disconnected' })
  await waitUntil(() => said.length > 1, 'the end', { timeout: 4_000 })
  expect(said).to.deep.equal(['Impianto 7: Disconnecting…', 'Impianto 7: Disconnected'])
})

describe('behind modal dialogs', () => {
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

  it('speaks in the one that was opened last, wherever in the page it stands', async () => {
    await show()
    const top = dialog()
    const below = dialog()
    below.showModal()
    top.showModal()
    wire.push({ ...FAILED })
    await waitUntil(() => top.querySelector('[data-mqtt-status-announcer] p'), 'the line', {
      timeout: 4_000,
    })
    await heardIn(top)
    expect(below.querySelector('[data-mqtt-status-announcer]')).to.equal(null)
  })

  it('speaks in one inside a shadow root, also when nothing in it has the focus', async () => {
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
    wire.push({ ...FAILED })
    await waitUntil(() => modal.querySelector('[data-mqtt-status-announcer] p'), 'the line', {
      timeout: 4_000,
    })
    await heardIn(modal)
  })
})
