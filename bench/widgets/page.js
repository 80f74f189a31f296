// What is measured, inside the page. The store is the benchmark's own: the cost of the elements is wanted, not the wire's.

const { MqttStatusCard } = await import(new URL('/mqtt-status.js', location.href).href)

let renders = 0
const { render } = MqttStatusCard.prototype
MqttStatusCard.prototype.render = function () {
  renders++
  return render.call(this)
}

class Store {
  src = 'bench:'
  link = { state: 'live', since: Date.now(), retryAt: null }
  can = ['view', 'control']
  #views = new Map()
  #listeners = new Map()

  constructor(count) {
    for (let i = 0; i < count; i++) this.#views.set(`c${i}`, view(row(i)))
  }

  now() {
    return Date.now()
  }

  connection(id) {
    return {
      get: () => this.#views.get(id),
      subscribe: (listener) => {
        this.#listeners.set(id, listener)
        listener(this.#views.get(id))
        return () => this.#listeners.delete(id)
      },
    }
  }

  onLink() {
    return () => undefined
  }

  change(id) {
    const { connection } = this.#views.get(id)
    const failed = connection.status === 'failed'
    this.#views.set(
      id,
      view({
        ...connection,
        status: failed ? 'connected' : 'failed',
        reason: failed ? null : 'bad_credentials',
        since: new Date().toISOString(),
        revision: connection.revision + 1,
      }),
    )
    this.#listeners.get(id)?.(this.#views.get(id))
  }
}

function view(connection) {
  return { connection, missing: false, pending: null }
}

function row(i) {
  return {
    id: `c${i}`,
    siteId: 's',
    name: `Impianto ${i}`,
    revision: 1,
    desired: 'connected',
    desiredAt: null,
    desiredBy: null,
    status: 'connected',
    reason: null,
    detail: null,
    since: new Date(Date.now() - i * 61_000).toISOString(),
    generation: 1,
    observedGeneration: 1,
    lastMessageAt: null,
    device: 'unknown',
    deviceSince: null,
    managed: true,
    labels: {},
  }
}

const home = document.querySelector('main')

/** Until everything is drawn and laid out. */
async function settled(cards) {
  await Promise.all(cards.map((card) => card.updateComplete))
  return home.offsetHeight
}

/** A quiet page, so that what was before is not counted. */
function idle() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve, 50))
  })
}

async function timed(cards, work) {
  await idle()
  const before = renders
  const begun = performance.now()
  work()
  await settled(cards)
  return { ms: performance.now() - begun, renders: renders - before }
}

/** The same trees under the same style sheets, cloned without any element of ours: what the browser itself takes. */
async function bare(card, count) {
  const tree = document.createElement('template')
  for (const node of card.shadowRoot.childNodes) tree.content.append(node.cloneNode(true))
  const sheets = [...card.shadowRoot.adoptedStyleSheets]
  home.replaceChildren()
  return timed([], () => {
    const hosts = []
    for (let i = 0; i < count; i++) {
      const host = document.createElement('div')
      const root = host.attachShadow({ mode: 'open' })
      root.adoptedStyleSheets = sheets
      root.append(document.importNode(tree.content, true))
      hosts.push(host)
    }
    home.append(...hosts)
  })
}

window.measure = async (count) => {
  const store = new Store(count)
  const cards = []
  const created = await timed(cards, () => {
    for (let i = 0; i < count; i++) {
      const card = document.createElement('mqtt-status-card')
      card.setAttribute('connection-id', `c${i}`)
      card.client = store
      cards.push(card)
    }
    home.append(...cards)
  })
  const one = await timed(cards, () => store.change('c0'))
  const all = await timed(cards, () => {
    for (let i = 0; i < count; i++) store.change(`c${i}`)
  })
  const separate = await timed(cards, () => {
    for (let i = 0; i < Math.min(100, count); i++) store.change(`c${i}`)
  })
  const floor = await bare(cards[0], count)
  return { floor, created, one, all, separate }
}
