import { expect, oneEvent, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { FakeServer, row } from './fake-server.ts'

const MANY = 400

let server: FakeServer
let home: HTMLElement
let all: MqttStatusCard[]

/** Cards below each other, more than the window shows. */
function put(count: number, id: (i: number) => string = (i) => `c${String(i)}`): MqttStatusCard[] {
  const cards = Array.from({ length: count }, (_, i) => {
    const card = document.createElement('mqtt-status-card')
    card.setAttribute('connection-id', id(i))
    card.lang = 'en'
    card.client = server.client
    return card
  })
  home.append(...cards)
  all.push(...cards)
  return cards
}

/** Resolves after all cards have asked for their turn, in the same task. */
async function asked(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

function drawn(cards: readonly MqttStatusCard[]): number {
  return cards.filter(({ hasUpdated }) => hasUpdated).length
}

beforeEach(() => {
  all = []
  server = new FakeServer({
    rows: Array.from({ length: MANY }, (_, i) => row({ id: `c${String(i)}` })),
  })
  home = document.createElement('main')
  home.style.display = 'grid'
  document.body.append(home)
})

afterEach(async () => {
  // Cards that render later would take the turns of the next test.
  await Promise.all(all.map((card) => card.updateComplete))
  home.remove()
  server.client.close()
})

it('a few cards render at once', async () => {
  const cards = put(24)
  await asked()
  expect(drawn(cards)).to.equal(24)
})

it('a card whose row changes renders at once although hundreds of others wait', async () => {
  const cards = put(MANY)
  await oneEvent(home, 'mqtt-status-ready')
  setTimeout(() => {
    server.push({ id: 'c0', status: 'failed', reason: 'bad_credentials', revision: 2 })
  })
  const { target } = await oneEvent(home, 'mqtt-status-change')
  expect(target).to.equal(cards[0])
  expect(drawn(cards)).to.be.lessThan(MANY)
})

it('many cards render in turns, and all of them in the end', async () => {
  const cards = put(MANY)
  await asked()
  expect(drawn(cards)).to.equal(24)
  await Promise.all(cards.map((card) => card.updateComplete))
  expect(drawn(cards)).to.equal(MANY)
  await waitUntil(() => cards.every((card) => card.matches(':state(connected)')))
})

it('cards in view render before others, in any order of the document', async () => {
  const order: string[] = []
  home.addEventListener('mqtt-status-ready', ({ detail }) => {
    order.push(detail.connection.id)
  })
  const cards = put(MANY)
  const last = cards.at(-1)
  // In view, although it is the last one in the document.
  if (last) last.style.order = '-1'
  await waitUntil(() => order.length === MANY, 'all rendered', { timeout: 20_000 })
  expect(order.indexOf(`c${String(MANY - 1)}`)).to.be.lessThan(MANY / 2)
})

it('a card that waits has the height that it will have', async () => {
  for (const [density, height] of [
    ['comfortable', 142],
    ['compact', 68],
    ['dense', 42],
  ] as const) {
    const cards = put(60)
    for (const card of cards) card.setAttribute('density', density)
    await asked()
    const [waiting] = cards.slice(-1)
    expect(waiting?.hasUpdated).to.equal(false)
    expect(waiting?.offsetHeight).to.equal(height)
    await Promise.all(cards.map((card) => card.updateComplete))
    home.replaceChildren()
  }
})

it('the client sends one watch for all cards, rendered or not', async () => {
  put(MANY)
  await waitUntil(() => server.received.length > 0)
  const watches = server.received.filter(({ type }) => type === 'watch')
  expect(watches).to.have.length(1)
  expect(watches[0]).to.have.property('connections').with.length(MANY)
})

it('all cards render when the page is printed', async () => {
  const cards = put(MANY)
  await asked()
  dispatchEvent(new Event('beforeprint'))
  expect(drawn(cards)).to.equal(MANY)
  dispatchEvent(new Event('afterprint'))
})

it('all cards render when the page is hidden', async () => {
  const cards = put(MANY)
  await asked()
  Object.defineProperty(document, 'hidden', { value: true, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
  expect(drawn(cards)).to.equal(MANY)
  Reflect.deleteProperty(document, 'hidden')
  document.dispatchEvent(new Event('visibilitychange'))
})

it('a card that was removed before its turn renders when it is back', async () => {
  const cards = put(100)
  const last = cards.at(-1)
  await asked()
  last?.remove()
  await last?.updateComplete
  if (last) home.append(last)
  await waitUntil(() => last?.matches(':state(connected)'))
})

it('cards of the page render before removed ones', async () => {
  const gone = put(MANY)
  await asked()
  home.replaceChildren()
  const come = put(60, (i) => `c${String(i)}`)
  await Promise.all(come.map((card) => card.updateComplete))
  expect(drawn(come)).to.equal(60)
  expect(drawn(gone)).to.be.lessThan(MANY)
})

it('a badge that waits reserves its room', async () => {
  const badges = Array.from({ length: 60 }, (_, i) => {
    const badge = document.createElement('mqtt-status-badge')
    badge.setAttribute('connection-id', `c${String(i)}`)
    badge.client = server.client
    return badge
  })
  home.append(...badges)
  await asked()
  const last = badges.at(-1)
  expect(last?.hasUpdated).to.equal(false)
  expect(last?.offsetHeight).to.be.at.least(16)
  await last?.updateComplete
})
