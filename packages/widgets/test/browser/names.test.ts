/** The accessible name of each button: its visible word and its connection. */
import type { Connection } from '@mqtt-status/protocol'
import { expect, waitUntil } from '@open-wc/testing'
import type { MqttStatusCard } from '../../src/index.ts'
import '../../src/define.ts'
import { button, shown } from './stage.ts'
import { FakeServer, row } from './fake-server.ts'

const FAILED: Partial<Connection> = {
  status: 'failed',
  reason: 'bad_credentials',
  detail: 'Connection refused',
}
const OFF: Partial<Connection> = { status: 'disconnected', desired: 'disconnected' }

interface Case {
  readonly row: Partial<Connection>
  /** Called after the element has rendered. */
  readonly then?: 'asks' | 'expires'
  readonly en: readonly string[]
  readonly it: readonly string[]
}

/** The element of each test, and the visible words of its buttons. */
const CASES: Readonly<Record<string, Case>> = {
  connected: { row: {}, en: ['Disconnect'], it: ['Disconnetti'] },
  off: { row: OFF, en: ['Connect'], it: ['Connetti'] },
  failed: {
    row: FAILED,
    en: ['Details', 'Copy details', 'Reconnect', 'Stop trying'],
    it: ['Dettagli', 'Copia dettagli', 'Riconnetti', 'Non riprovare'],
  },
  asking: { row: {}, then: 'asks', en: ['Yes', 'No'], it: ['Sì', 'No'] },
  'without access': {
    row: {},
    then: 'expires',
    en: ['Retry', 'Disconnect'],
    it: ['Riprova', 'Disconnetti'],
  },
}

const TAGS = [
  ...['comfortable', 'compact', 'dense'].flatMap((density) =>
    ['', 'href="#x"', 'heading-level=3'].map(
      (more) => `mqtt-status-card density=${density} ${more}`,
    ),
  ),
  ...['comfortable', 'compact'].flatMap((density) =>
    ['', 'label-hidden'].map((more) => `mqtt-status-control density=${density} ${more}`),
  ),
]

let server: FakeServer
let home: HTMLElement

beforeEach(() => {
  home = document.createElement('div')
  document.body.append(home)
})

afterEach(() => {
  home.remove()
  server.client.close()
})

/** The text of a node as the page shows it, with the content of its slots. */
function flat(node: Node): string {
  if (node instanceof HTMLSlotElement) {
    const assigned = node.assignedNodes()
    return (assigned.length > 0 ? assigned : [...node.childNodes]).map(flat).join('')
  }
  return node instanceof Text ? node.data : [...node.childNodes].map(flat).join('')
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The accessible name, computed as browsers do it for `aria-labelledby`. */
function nameOf(element: Element): string {
  const root = element.getRootNode() as ShadowRoot
  const ids = element.getAttribute('aria-labelledby')?.split(' ') ?? []
  const named = ids.map((id) => {
    const found = root.querySelectorAll(`#${id}`)
    expect(found, `#${id}`).to.have.length(1)
    return flat(found[0] as Node)
  })
  return oneLine(named.join(' '))
}

function expectNames(element: Element, words: readonly string[]): void {
  const buttons = [...(element.shadowRoot?.querySelectorAll('button') ?? [])]
  const names = buttons.map(nameOf)
  for (const [i, one] of buttons.entries()) {
    const visible = oneLine(flat(one))
    expect(words).to.include(visible)
    // A viewer who uses speech input says the visible word (WCAG 2.5.3).
    expect(names[i]).to.match(new RegExp(`^${visible} (.+ )?Impianto 7$`))
  }
  expect(new Set(names).size, names.join(' | ')).to.equal(names.length)
  expect(names.join()).to.not.contain('\u200b')
}

async function put(tag: string, lang: string, shows: Case): Promise<MqttStatusCard> {
  server = new FakeServer({ rows: [row(shows.row)], token: 'x' })
  const [name = ''] = tag.split(' ', 1)
  home.innerHTML = `<${tag} connection-id="plant-7" lang=${lang} confirm="all"></${name}>`
  const element = home.firstElementChild as MqttStatusCard
  element.client = server.client
  await shown(element, 'link-live')
  const [word = ''] = shows[lang as 'en' | 'it'].slice(-1)
  if (shows.then === 'asks') {
    await waitUntil(() => element.shadowRoot?.querySelector('[part~=control]'))
    button(element).click()
  }
  if (shows.then === 'expires') server.close(4001)
  // The words of the language are loaded later.
  await waitUntil(
    () =>
      [...(element.shadowRoot?.querySelectorAll('button') ?? [])].some((one) =>
        flat(one).includes(word),
      ),
    word,
    { timeout: 5_000 },
  )
  return element
}

for (const lang of ['en', 'it']) {
  for (const tag of TAGS) {
    it(`the name of every button begins with the visible word and has the connection: ${tag}, ${lang}`, async () => {
      for (const shows of Object.values(CASES)) {
        const element = await put(tag, lang, shows)
        const isCard = element.localName === 'mqtt-status-card'
        const words = shows[lang as 'en' | 'it']
        expectNames(element, words)
        const count = element.shadowRoot?.querySelectorAll('button').length
        const own = ['Details', 'Copy details', 'Dettagli', 'Copia dettagli']
        expect(count).to.equal(
          isCard ? words.length : words.filter((word) => !own.includes(word)).length,
        )
        server.client.close()
      }
    })
  }
}

it('the name of a button has the label and the name that the page has put into slots', async () => {
  server = new FakeServer()
  home.innerHTML = `<mqtt-status-control connection-id="plant-7" lang="en"><b slot="disconnect">Take <i>down</i></b></mqtt-status-control>
    <mqtt-status-card connection-id="plant-7" lang="en"><b slot="name">Boiler <i>2</i></b></mqtt-status-card>`
  for (const element of home.children as Iterable<MqttStatusCard>) {
    element.client = server.client
    await shown(element, 'link-live')
    await waitUntil(() => element.shadowRoot?.querySelector('.main'))
  }
  const names = [...home.children].map((element) => nameOf(button(element)))
  expect(names).to.deep.equal(['Take down Impianto 7', 'Disconnect Boiler 2'])
})
