/** Details open above the page: no card moves or grows, and the whole text is readable wherever the card is. */
import { expect, nextFrame } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { part, shown } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

const DETAIL = 'Connection refused: not authorized. '.repeat(8).trim()
const PEERS = ['plant-1', 'plant-7', 'plant-9']

let server: FakeServer
let grid: HTMLElement

beforeEach(() => {
  const failing = row({ status: 'failed', reason: 'bad_credentials', detail: DETAIL })
  server = new FakeServer({ rows: PEERS.map((id) => (id === 'plant-7' ? failing : row({ id }))) })
  grid = document.createElement('main')
  Object.assign(grid.style, { display: 'grid', gap: '16px' })
  grid.style.gridTemplateColumns = 'repeat(3, minmax(0, 1fr))'
  document.body.append(grid)
})

afterEach(() => {
  grid.remove()
  server.client.close()
})

/** Three cards side by side; the connection of the middle one has failed. */
async function put(attributes: Readonly<Record<string, string>> = {}): Promise<MqttStatusCard> {
  const cards = PEERS.map((id) => {
    const card = document.createElement('mqtt-status-card')
    for (const [name, value] of Object.entries(attributes)) card.setAttribute(name, value)
    return Object.assign(card, { connectionId: id, lang: 'en', client: server.client })
  })
  grid.append(...cards)
  await Promise.all(cards.map((card) => shown(card, 'link-live')))
  await nextFrame()
  return cards[1] as MqttStatusCard
}

function opener(card: MqttStatusCard): HTMLElement {
  const found = part(card, 'details')
  if (!found) throw new Error('The card has no details')
  return found
}

function panel(card: MqttStatusCard): HTMLElement {
  const found = card.shadowRoot?.querySelector<HTMLElement>('[popover]')
  if (!found) throw new Error('The card has no popover')
  return found
}

/** The position and size of every node, in pixels. */
function places(): unknown {
  const { scrollWidth, scrollHeight } = document.documentElement
  const boxes = [...grid.children].map((card) => card.getBoundingClientRect().toJSON() as unknown)
  return { scrollWidth, scrollHeight, boxes }
}

for (const density of ['comfortable', 'compact', 'dense']) {
  it(`open details move no card and show the whole text: ${density}`, async () => {
    const card = await put({ density })
    const before = places()
    opener(card).click()
    await nextFrame()
    expect(panel(card).matches(':popover-open')).to.equal(true)
    expect(places()).to.deep.equal(before)
    const { left, right, top, bottom } = panel(card).getBoundingClientRect()
    expect(left).to.be.at.least(0)
    expect(right).to.be.at.most(window.innerWidth)
    expect(bottom).to.be.at.most(window.innerHeight)
    expect(top).to.be.at.least(opener(card).getBoundingClientRect().bottom)
    expect(panel(card).innerText).to.contain(DETAIL)
    expect(panel(card).scrollHeight).to.equal(panel(card).clientHeight)
    expect(document.elementFromPoint((left + right) / 2, bottom - 4)).to.equal(card)
    opener(card).click()
    await nextFrame()
    expect(panel(card).matches(':popover-open')).to.equal(false)
    expect(places()).to.deep.equal(before)
  })
}

const CORNERS: Readonly<Record<string, Partial<CSSStyleDeclaration>>> = {
  'bottom left': { insetBlockEnd: '0', left: '0' },
  'bottom right': { insetBlockEnd: '0', right: '0' },
  'top right': { insetBlockStart: '0', right: '0' },
}

for (const [corner, style] of Object.entries(CORNERS)) {
  for (const dir of ['ltr', 'rtl']) {
    it(`open details stay inside the window and beside their button: ${corner}, ${dir}`, async () => {
      const card = await put()
      for (const peer of [...grid.children]) if (peer !== card) peer.remove()
      Object.assign(grid.style, { position: 'fixed', inlineSize: '240px', display: 'block' }, style)
      grid.dir = dir
      opener(card).click()
      await nextFrame()
      const box = panel(card).getBoundingClientRect()
      const from = opener(card).getBoundingClientRect()
      expect(box.left).to.be.at.least(0)
      expect(box.right).to.be.at.most(window.innerWidth)
      expect(box.top).to.be.at.least(0)
      expect(box.bottom).to.be.at.most(window.innerHeight)
      expect(
        Math.min(Math.abs(box.top - from.bottom), Math.abs(box.bottom - from.top)),
      ).to.be.below(16)
      expect(box.left).to.be.below(from.right)
      expect(box.right).to.be.above(from.left)
    })
  }
}

it('closed details return the focus to their button, and to the card when the failure ends', async () => {
  const card = await put()
  opener(card).focus()
  opener(card).click()
  part(card, 'copy')?.focus()
  expect(card.shadowRoot?.activeElement).to.equal(part(card, 'copy'))
  panel(card).hidePopover()
  expect(card.shadowRoot?.activeElement).to.equal(opener(card))
  opener(card).click()
  part(card, 'copy')?.focus()
  server.push({ status: 'connected', reason: null, detail: null })
  await shown(card, 'connected')
  await card.updateComplete
  expect(part(card, 'details')).to.equal(null)
  expect(card.shadowRoot?.activeElement?.id).to.equal('name')
})

it('a card with open details passes the accessibility audit', async () => {
  const card = await put()
  opener(card).click()
  await nextFrame()
  await expect(card).to.be.accessible()
})
