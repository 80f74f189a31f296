/** Position and size in each engine, because a node may be in the tree and not on the screen. */
import type { Connection } from '@mqtt-status/protocol'
import { aTimeout, expect, html, nextFrame, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard, MqttStatusControl, MqttStatusLive } from '../../src/index.ts'
import '../../src/define.ts'
import { part, show, shown } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

let server: FakeServer

beforeEach(() => {
  server = new FakeServer()
})

afterEach(() => {
  server.client.close()
})

function inside(element: Element, selector: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(selector)
  if (!found) throw new Error(`No ${selector}`)
  return found
}

/** The browser has painted the page at least once since. */
async function painted(): Promise<void> {
  await nextFrame()
  await nextFrame()
}

/** Fails unless each of these nodes is painted: it has a size, and a click in its middle hits the element. */
function expectDrawn(element: Element, selectors: readonly string[]): void {
  for (const selector of selectors) {
    const { width, height, left, top } = inside(element, selector).getBoundingClientRect()
    expect(width, `width of ${selector}`).to.be.greaterThan(0)
    expect(height, `height of ${selector}`).to.be.greaterThan(0)
    const hit = document.elementFromPoint(left + width / 2, top + height / 2)
    expect(hit, `what a click on ${selector} hits`).to.equal(element)
  }
}

const DRAWN = ['svg', '.name a', '.word', '.main', '.main .glyph', '.main .label']

describe('a painted card paints what is added to it:', () => {
  /** Changes of a painted card: slots of its tree are added, removed, renamed and filled. */
  const CHANGES: Readonly<Record<string, (card: MqttStatusCard) => void>> = {
    'another status': () => {
      server.push({ status: 'disconnected', desired: 'disconnected' })
    },
    'a second button': () => {
      server.push({ status: 'failed', reason: 'quota', detail: 'Quota exceeded' })
    },
    'a pending command': () => {
      server.push({ generation: 2, desiredAt: new Date().toISOString() })
    },
    'a heading': (card) => {
      card.headingLevel = 3
    },
    'a name of the page': (card) => {
      card.innerHTML = '<b slot="name">Boiler</b>'
    },
    'details of the page': (card) => {
      card.innerHTML = '<span slot="meta">broker</span><span slot="footer">foot</span>'
    },
    'another density': (card) => {
      card.setAttribute('density', 'compact')
      card.style.inlineSize = '700px'
    },
  }

  it('its first row', async () => {
    server.mute = true
    const card = await show<MqttStatusCard>(
      server,
      html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
    )
    await shown(card, 'loading')
    await painted()
    server.mute = false
    server.close()
    server.client.refresh()
    await shown(card, 'connected')
    await painted()
    expectDrawn(card, DRAWN)
  })

  for (const [change, make] of Object.entries(CHANGES)) {
    it(change, async () => {
      const card = await show<MqttStatusCard>(
        server,
        html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
      )
      await shown(card, 'connected')
      await painted()
      make(card)
      await card.updateComplete
      await painted()
      await card.updateComplete
      expectDrawn(card, DRAWN)
      server.push({
        status: 'connected',
        desired: 'connected',
        generation: 3,
        observedGeneration: 3,
      })
      await shown(card, 'connected')
      await painted()
      expectDrawn(card, DRAWN)
    })
  }
})

describe('a card out of view is as high as in view', () => {
  const MANY = 300
  const LOOKS: readonly { density: string; controls: string; width: number }[] = [
    { density: 'comfortable', controls: 'auto', width: 300 },
    { density: 'comfortable', controls: 'none', width: 300 },
    { density: 'compact', controls: 'auto', width: 300 },
    { density: 'dense', controls: 'auto', width: 300 },
    { density: 'dense', controls: 'auto', width: 600 },
  ]

  for (const { density, controls, width } of LOOKS) {
    it(`${density}, ${width} px, controls ${controls}`, async () => {
      const ids = Array.from({ length: MANY }, (_, i) => `c${String(i)}`)
      server.client.close()
      server = new FakeServer({ rows: ids.map((id) => row({ id })) })
      const list = document.createElement('main')
      list.style.inlineSize = `${width}px`
      document.body.append(list)
      try {
        const cards = ids.map((id) => {
          const card = document.createElement('mqtt-status-card')
          card.setAttribute('density', density)
          card.setAttribute('controls', controls)
          Object.assign(card, { connectionId: id, lang: 'en', client: server.client })
          return card
        })
        list.append(...cards)
        await waitUntil(() => cards.every((card) => card.matches(':state(connected)')), 'rows', {
          timeout: 20_000,
        })
        await painted()
        const [first] = cards as [MqttStatusCard]
        const height = first.offsetHeight
        expect(height).to.be.at.least(40)
        const total = list.offsetHeight
        expect(total).to.be.closeTo(MANY * height, MANY)
        // Scrolling through the list renders every card, and no card moves.
        for (let top = 0; top < total; top += window.innerHeight) {
          scrollTo(0, top)
          await nextFrame()
        }
        const last = cards.at(-1) as MqttStatusCard
        last.scrollIntoView({ block: 'end' })
        await painted()
        expect(last.getBoundingClientRect().bottom).to.be.closeTo(window.innerHeight, 1)
        expect(last.offsetHeight).to.equal(height)
        expect(list.offsetHeight).to.be.closeTo(total, 1)
        expectDrawn(last, ['svg', '.word'])
      } finally {
        list.remove()
        scrollTo(0, 0)
      }
    }).timeout(60_000)
  }
})

describe('an element leaves a former state', () => {
  /** Allocates so much that every engine collects the objects that no script references. */
  async function collected(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      Array.from({ length: 100_000 }, (_, n) => ({ n }))
      await aTimeout(0)
    }
  }

  it('when the row of a card changes', async () => {
    const card = await show<MqttStatusCard>(
      server,
      html`<mqtt-status-card connection-id="plant-7" lang="en"></mqtt-status-card>`,
    )
    await shown(card, 'connected')
    const was: Partial<Connection>[] = [
      { status: 'failed', reason: 'quota' },
      { status: 'disconnected', desired: 'disconnected' },
      { status: 'connected', desired: 'connected', reason: null },
    ]
    for (const change of was) {
      await collected()
      server.push(change)
      await shown(card, String(change.status))
      const states = ['connected', 'failed', 'disconnected', 'loading', 'stale']
      const now = states.filter((state) => card.matches(`:state(${state})`))
      expect(now).to.deep.equal([change.status])
    }
  }).timeout(60_000)

  it('when the link is down, and hide-when-live shows the element again', async () => {
    const live = await show<MqttStatusLive>(
      server,
      html`<mqtt-status-live lang="en" hide-when-live></mqtt-status-live>`,
    )
    await shown(live, 'link-live')
    expect(live.offsetHeight).to.equal(0)
    await collected()
    server.mute = true
    server.close()
    await shown(live, 'link-stale')
    expect(live.matches(':state(link-live)')).to.equal(false)
    expect(live.offsetHeight).to.be.greaterThan(0)
  }).timeout(60_000)
})

describe('hidden nodes make the page neither wider nor higher', () => {
  const TAGS: readonly string[] = [
    ...['comfortable', 'compact', 'dense'].flatMap((density) =>
      ['none', 'show'].map(
        (controls) => `mqtt-status-card density=${density} controls=${controls}`,
      ),
    ),
    ...['comfortable', 'compact', 'dense'].flatMap((density) => [
      `mqtt-status-control density=${density}`,
      `mqtt-status-control density=${density} label-hidden`,
    ]),
    ...['label', 'icon', 'dot', 'text'].map((variant) => `mqtt-status-badge variant=${variant}`),
    'mqtt-status-live',
  ]
  const ROWS: Readonly<Record<string, Partial<Connection>>> = {
    connected: {},
    failed: { status: 'failed', reason: 'bad_credentials', detail: 'Connection refused' },
    off: { status: 'disconnected', desired: 'disconnected' },
    loading: {},
  }

  for (const tag of TAGS) {
    for (const lang of ['en', 'it']) {
      it(`${tag}, ${lang}`, async () => {
        for (const [name, change] of Object.entries(ROWS)) {
          server.client.close()
          server = new FakeServer({
            rows: [row({ name: 'A long name of a large plant', ...change })],
          })
          server.mute = name === 'loading'
          const home = document.createElement('div')
          // Exactly as large as its content, so that its scroll sizes include overflowing nodes.
          Object.assign(home.style, { inlineSize: 'fit-content', maxInlineSize: '600px' })
          home.style.overflow = 'auto'
          home.lang = lang
          document.body.append(home)
          home.innerHTML = `<${tag} connection-id="plant-7"></${tag.split(' ', 1)[0] ?? ''}>`
          const element = home.firstElementChild as MqttStatusControl
          element.client = server.client
          await shown(element, name === 'loading' ? 'loading' : 'link-live')
          await aTimeout(0)
          await element.updateComplete
          await painted()
          expect(home.scrollWidth, `${name}: width`).to.equal(home.clientWidth)
          expect(home.scrollHeight, `${name}: height`).to.equal(home.clientHeight)
          home.remove()
        }
      })
    }
  }
})

describe('exactly one focus ring is visible on', () => {
  const FOCUSED: Readonly<Record<string, { tag: string; selector: string }>> = {
    'the link of a card': { tag: 'mqtt-status-card href="#x"', selector: 'a' },
    'the button of a card': { tag: 'mqtt-status-card', selector: '.main' },
    'the details of a card': { tag: 'mqtt-status-card', selector: '#details' },
    'the link of a badge': { tag: 'mqtt-status-badge href="#x"', selector: 'a' },
    'the button of a control': { tag: 'mqtt-status-control', selector: '.main' },
  }

  for (const [what, { tag, selector }] of Object.entries(FOCUSED)) {
    it(what, async () => {
      server.push({ status: 'failed', reason: 'quota', detail: 'Quota exceeded' })
      const home = document.createElement('div')
      document.body.append(home)
      home.innerHTML = `<${tag} connection-id="plant-7" lang="en"></${tag.split(' ', 1)[0] ?? ''}>`
      const element = home.firstElementChild as MqttStatusCard
      element.client = server.client
      await shown(element, 'failed')
      const focused = inside(element, selector)
      focused.focus({ focusVisible: true } as FocusOptions)
      expect(element.shadowRoot?.activeElement).to.equal(focused)
      const around = [element, ...(element.shadowRoot?.querySelectorAll('*') ?? [])]
      const rings = around.flatMap((one) =>
        [undefined, '::before', '::after'].filter((pseudo) => {
          const { outlineStyle, outlineWidth, content } = getComputedStyle(one, pseudo)
          if (pseudo !== undefined && content === 'none') return false
          return outlineStyle !== 'none' && outlineWidth !== '0px'
        }),
      )
      expect(rings).to.have.length(1)
      expect(part(element, 'card') ?? focused).to.exist
      home.remove()
    })
  }
})
