/**
 * A fault at each step from the transport to the pixels. The card beside the faulty one must go on: it shows a later change
 * of its row, and its words change with time.
 */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import type { TemplateResult } from 'lit'
import type { Connection } from '@mqtt-status/protocol'
import { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer
/** Uncaught errors, unhandled rejections, and what was written to the console. */
let uncaught: string[]
/** The uncaught errors among them. */
let thrown: string[]
const writeError = console.error
const listening = new AbortController()
let hear: typeof window.onerror

beforeEach(() => {
  uncaught = []
  thrown = []
  hear = window.onerror
  window.onerror = (message) => {
    uncaught.push(String(message))
    thrown.push(String(message))
    return true
  }
  console.error = (error: unknown) => {
    uncaught.push(String(error))
  }
  addEventListener(
    'unhandledrejection',
    (event) => {
      uncaught.push(String(event.reason))
      event.preventDefault()
      event.stopImmediatePropagation()
    },
    { signal: listening.signal, capture: true },
  )
})

afterEach(() => {
  server.client.close()
  window.onerror = hear
  console.error = writeError
})

after(() => {
  listening.abort()
})

async function comes(is: () => boolean, what = 'what the test waits for'): Promise<void> {
  await waitUntil(is, what, { timeout: 10_000 })
}

/** Its grace of 30 s ends 300 ms from now, which only the page's clock notices. */
function losing(): Partial<Connection> {
  return { status: 'reconnecting', since: new Date(Date.now() - 29_700).toISOString() }
}

class FaultyCard extends MqttStatusCard {
  static override readonly tag: string = 'faulty-card'
  /** The step that throws. */
  fails: 'render' | 'update' | 'updated' | 'requestUpdate' | 'willUpdate' | null = null

  #fail(step: string): void {
    if (this.fails === step) throw new Error(`fault in ${step} of ${this.connectionId ?? ''}`)
  }

  override requestUpdate(...args: Parameters<MqttStatusCard['requestUpdate']>): void {
    super.requestUpdate(...args)
    // The constructor of the base class requests an update before this field exists.
    if (this.hasUpdated) this.#fail('requestUpdate')
  }

  protected override willUpdate(): void {
    this.#fail('willUpdate')
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    this.#fail('update')
    super.update(changed)
  }

  protected override render(): TemplateResult {
    this.#fail('render')
    return super.render()
  }

  protected override updated(): void {
    super.updated()
    this.#fail('updated')
  }
}
FaultyCard.define()

interface Pair {
  readonly victim: FaultyCard
  readonly neighbour: MqttStatusCard
}

async function pair(): Promise<Pair> {
  server = new FakeServer({
    rows: [row({ id: 'victim', name: 'Victim' }), row({ id: 'neighbour' })],
  })
  const home = await fixture(
    html`<main>
      <faulty-card connection-id="victim" lang="en" .client=${server.client}></faulty-card>
      <mqtt-status-card
        connection-id="neighbour"
        lang="en"
        .client=${server.client}
      ></mqtt-status-card>
    </main>`,
  )
  const [victim, neighbour] = home.children as unknown as [FaultyCard, MqttStatusCard]
  await shown(victim, 'connected')
  await shown(neighbour, 'connected')
  return { victim, neighbour }
}

/** The neighbour shows a later row, and what follows from time alone. */
async function goesOn({ neighbour }: Pair): Promise<void> {
  server.push({ id: 'neighbour', status: 'failed', reason: 'banned' })
  await comes(() => text(neighbour).includes('banned'), 'the neighbour shows a change')
  server.push({ id: 'neighbour', ...losing(), reason: null })
  await comes(() => text(neighbour).includes('Reconnecting…'), 'the neighbour is losing')
  await comes(() => text(neighbour).includes('Connection lost'), 'the clock goes on')
}

const FRAMES: Readonly<Record<string, string>> = {
  'no JSON': 'not json',
  'half a message': '{"type":"patch","connections":[{"id":"vic',
  'an HTML page of a proxy': '<!doctype html><title>502</title>',
  'a number': '5',
  nothing: '',
  'a type that is no string': '{"type":{}}',
  'a type of a later version': '{"type":"banner","text":"hi"}',
  'a patch without lists': '{"type":"patch"}',
  'rows that are none':
    '{"type":"patch","connections":[null,5,"x",[],{},{"id":7}],"removed":[null,5],"missing":[{}]}',
  'a welcome without anything': '{"type":"welcome"}',
  'a feed without a time': '{"type":"feed","state":"live"}',
  'a bye without a window': '{"type":"bye"}',
  'a summary of nothing': '{"type":"summary"}',
}

for (const [name, frame] of Object.entries(FRAMES)) {
  it(`other elements go on after ${name}`, async () => {
    const both = await pair()
    server.deliver(frame)
    // After a text that is no message the client opens another transport.
    await shown(both.neighbour, 'link-live')
    await comes(() => server.client.link.state === 'live', 'live again')
    await goesOn(both)
    expect(uncaught).to.deep.equal([])
  })
}

const HUGE = '+275760-09-13T00:00:00.001Z'

const ODD_ROWS: readonly Record<string, unknown>[] = [
  { since: 'yesterday' },
  { since: HUGE },
  { since: '+275760-09-13T00:00:00.000Z' },
  { since: '-271821-04-20T00:00:00.000Z' },
  { since: 1e300, status: 'reconnecting' },
  { since: null, status: 'reconnecting' },
  { since: '', status: 'disconnected' },
  { status: 'exploded' },
  { status: 7 },
  { status: '' },
  { status: { toString: 'no function' } },
  { device: 'on fire', lastMessageAt: 'soon' },
  { device: 'online', lastMessageAt: 'infinity' },
  { device: 'toString', lastMessageAt: HUGE },
  { device: ['offline'] },
  { reason: 'unheard_of', status: 'failed' },
  { reason: 'constructor', status: 'failed' },
  { reason: 5, status: 'failed' },
  { desired: 'exploded', status: 'disconnected' },
  { desired: 'disconnected', status: 'disconnected', desiredBy: 'me', desiredAt: 'never' },
  { desired: 'disconnected', status: 'disconnected', desiredBy: {}, desiredAt: 5 },
  { detail: { text: 'x' }, status: 'failed', reason: 'banned' },
  { name: 5 },
  { name: null },
  { name: '\u0000\ud800' },
  { labels: 'x' },
  { labels: [1, null, { a: {} }] },
  { labels: null },
  { generation: 'x', observedGeneration: {} },
  { generation: 1e308, observedGeneration: 0, desiredAt: HUGE },
  { siteId: null },
  { managed: 'yes' },
]

it(`other elements go on beside ${ODD_ROWS.length} rows with fields of other types, for each value of time`, async () => {
  const odd = ODD_ROWS.map(
    (change, i) => ({ ...row({ id: `odd${String(i)}` }), ...change }) as Connection,
  )
  const both = await pair()
  const cards: MqttStatusCard[] = []
  for (const time of ['relative', 'absolute', 'both'])
    for (const { id } of odd) {
      const card = document.createElement('mqtt-status-card')
      Object.assign(card, { connectionId: id, time, client: server.client, lang: 'en' })
      card.dispatchEvent(new Event('pointerenter'))
      cards.push(card)
    }
  both.neighbour.after(...cards)
  await Promise.all(cards.map((card) => card.updateComplete))
  for (const one of odd) server.push(one)
  await comes(() => cards.every((card) => card.connection !== null), 'all rows have come')
  await Promise.all(cards.map((card) => card.updateComplete))
  for (const [i, card] of cards.entries()) {
    const words = text(card)
    const about = JSON.stringify(ODD_ROWS[i % odd.length])
    expect(words, about).not.to.match(/undefined|NaN|Invalid|\[object/)
    expect(words, about).to.contain(card.shadowRoot?.querySelector('.word')?.textContent)
  }
  await goesOn(both)
  expect(uncaught).to.deep.equal([])
})

for (const step of ['render', 'update', 'updated', 'requestUpdate', 'willUpdate'] as const) {
  it(`other elements go on beside an element whose ${step} throws`, async () => {
    const both = await pair()
    // Both elements are due at the same moment on the page's clock.
    server.push({ id: 'victim', ...losing() })
    await comes(() => text(both.victim).includes('Reconnecting…'))
    both.victim.fails = step
    server.push({ id: 'victim', ...losing(), name: 'Again' })
    await goesOn(both)
    await comes(() => uncaught.length > 0, 'the fault is reported')
    expect(uncaught.join()).to.contain(`fault in ${step}`)
    // The faulty element renders again as soon as nothing throws.
    both.victim.fails = null
    server.push({ id: 'victim', status: 'failed', reason: 'banned' })
    await comes(() => text(both.victim).includes('banned'), 'the victim is drawn again')
  })
}

const fail = (): never => {
  throw new Error('words of the page')
}

it('an element uses the English words where those of the page throw or are no text', async () => {
  const both = await pair()
  const strings = {
    ago: fail,
    lasting: fail,
    asOf: fail,
    disconnectedBy: fail,
    lastMessage: fail,
    changes: fail,
    wait: fail,
    nextTry: fail,
    several: fail,
  }
  both.victim.strings = strings
  server.push({
    id: 'victim',
    status: 'disconnected',
    desired: 'disconnected',
    desiredBy: 'me',
    desiredAt: new Date().toISOString(),
    device: 'online',
    lastMessageAt: new Date().toISOString(),
  })
  await comes(() => text(both.victim).includes('Disconnected by me'), 'said in English')
  await goesOn(both)
  await comes(() => uncaught.length > 0)
  // The client reports each mistake once. The test runner may repeat it in the console.
  expect(thrown.filter((words) => words.includes('words of the page'))).to.have.length(1)
})

it('elements go on beside listeners of the page that throw, for each event', async () => {
  const both = await pair()
  server.client.connection('victim').subscribe((view) => {
    if (view.connection?.status === 'failed') throw new Error('fault in subscribe')
  })
  server.client.watch({ sites: ['s1'] }, () => {
    throw new Error('fault in watch')
  })
  server.client.onLink(() => {
    throw new Error('fault in onLink')
  })
  for (const type of ['mqtt-status-change', 'mqtt-status-ready', 'mqtt-status-link'] as const)
    both.victim.addEventListener(type, () => {
      throw new Error(`fault in ${type}`)
    })
  server.push({ id: 'victim', status: 'failed', reason: 'banned' })
  await comes(() => text(both.victim).includes('banned'))
  server.mute = true
  server.close()
  await shown(both.victim, 'link-stale')
  server.mute = false
  server.client.refresh()
  await comes(() => server.client.link.state === 'live', 'live again')
  await goesOn(both)
  for (const name of ['subscribe', 'watch', 'onLink', 'mqtt-status-change', 'mqtt-status-link'])
    expect(uncaught.join(), name).to.contain(`fault in ${name}`)
})

it('all others render where one of a hundred elements throws in its turn', async () => {
  const ids = Array.from({ length: 100 }, (_, i) => `c${String(i)}`)
  const both = await pair()
  for (const id of ids) server.push(row({ id }))
  const cards = ids.map((id, i) => {
    const card = document.createElement(i % 10 === 5 ? 'faulty-card' : 'mqtt-status-card')
    if (card instanceof FaultyCard) card.fails = 'update'
    return Object.assign(card as MqttStatusCard, {
      connectionId: id,
      client: server.client,
      lang: 'en',
    })
  })
  both.neighbour.after(...cards)
  const sound = cards.filter((card) => !(card instanceof FaultyCard))
  await comes(() => sound.every((card) => card.matches(':state(connected)')), 'all have rendered')
  expect(sound.length).to.equal(90)
  await goesOn(both)
  expect(uncaught.filter((words) => words.includes('fault in update of c')).length).to.equal(10)
})
