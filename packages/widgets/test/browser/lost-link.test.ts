/** A page while its link is down: the rows stay, with a time, and no node moves. */
import { expect, fixture, html, waitUntil } from '@open-wc/testing'
import { registerLocale } from '../../src/index.ts'
import type { MqttStatusCard } from '../../src/index.ts'
import { it as italian } from '../../src/locales/it.ts'
import '../../src/define.ts'
import { part, shown, text } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

const ROWS = [
  row({ id: 'a', name: 'Impianto 7' }),
  row({ id: 'b', name: 'Truro', status: 'failed', reason: 'bad_credentials', detail: 'code 134' }),
  row({ id: 'c', name: 'Kent', status: 'disconnected', desired: 'disconnected' }),
  row({ id: 'd', name: 'Leeds', device: 'offline', lastMessageAt: '2026-11-23T18:00:00.000Z' }),
]

// The npm entry would load Italian when an element needs it, and then all words would change.
registerLocale(italian)

let server: FakeServer

afterEach(() => {
  server.client.close()
})

/** A page with a grid of cards, and a paragraph below that moves if a card grows. */
async function page(lang: string, width: number): Promise<MqttStatusCard[]> {
  server = new FakeServer({ rows: ROWS })
  const main = await fixture(html`
    <main style="width: ${width}px" lang=${lang}>
      <div style="display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr))">
        ${ROWS.map(({ id }) => html`<mqtt-status-card connection-id=${id}></mqtt-status-card>`)}
      </div>
      <p>Below the cards</p>
    </main>
  `)
  const cards = Array.from(main.querySelectorAll('mqtt-status-card'))
  for (const card of cards) card.client = server.client
  await Promise.all(cards.map((card) => shown(card, 'link-live')))
  await Promise.all(cards.map((card) => card.updateComplete))
  return cards
}

/** Sums the layout shifts of the page, where the browser measures them. */
function measureShifts(): () => number {
  if (!PerformanceObserver.supportedEntryTypes.includes('layout-shift')) return () => 0
  let sum = 0
  const add = (entries: PerformanceEntryList): void => {
    for (const entry of entries) sum += (entry as PerformanceEntry & { value: number }).value
  }
  const observer = new PerformanceObserver((list) => {
    add(list.getEntries())
  })
  observer.observe({ type: 'layout-shift', buffered: false })
  return () => {
    add(observer.takeRecords())
    observer.disconnect()
    return sum
  }
}

async function cut(cards: readonly MqttStatusCard[]): Promise<void> {
  server.mute = true
  server.close()
  await Promise.all(cards.map((card) => shown(card, 'stale')))
  await Promise.all(cards.map((card) => card.updateComplete))
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
}

for (const lang of ['en', 'it']) {
  for (const width of [320, 900]) {
    it(`no node moves when the link goes down: ${lang}, ${width} px`, async () => {
      const cards = await page(lang, width)
      const boxes = () => cards.map((card) => card.getBoundingClientRect().toJSON() as DOMRect)
      const before = boxes()
      const shifts = measureShifts()
      await cut(cards)
      expect(boxes()).to.deep.equal(before)
      expect(shifts()).to.equal(0)
    })
  }
}

it('a stale card keeps its last reason, adds the time, and describes its button by the link', async () => {
  const cards = await page('en', 900)
  await cut(cards)
  const failed = cards[1]
  if (!failed) throw new Error('There is no second card')
  expect(part(failed, 'reason')?.textContent?.trim()).to.equal('The broker refused the credentials')
  expect(text(failed)).to.match(/as of \d/)
  expect(part(failed, 'message')).to.equal(null)
  await waitUntil(() => part(failed, 'control')?.title === 'Updates paused, reconnecting…')
})
