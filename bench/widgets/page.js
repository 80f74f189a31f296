/**
 * The part of the benchmark that runs in the page. `measureCards` measures cards; `measureFloor` clones the same trees under
 * the same style sheets and changes them without custom elements. A store of the benchmark takes the place of the client,
 * because the benchmark measures the elements and not the transport.
 */

let renders = 0

class Store {
  src = 'bench:'
  link = { state: 'live', since: Date.now(), retryAt: null }
  can = ['view', 'control']
  #views = new Map()
  #listeners = new Map()

  /** @param row of which each connection is a copy */
  constructor(count, row) {
    for (let i = 0; i < count; i++) this.#views.set(`c${i}`, view(numbered(row, i)))
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

function numbered(row, i) {
  const since = new Date(Date.now() - i * 61_000).toISOString()
  return { ...row, id: `c${i}`, name: `Impianto ${i}`, since }
}

const home = document.querySelector('main')

/** Resolves when the page is idle, so that no earlier work is part of the next measurement. */
function idle() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve, 50))
  })
}

/** Measures the longest time for which the page was blocked: a click would have waited for it, in ms. */
class Pulse {
  longest = 0
  #last = performance.now()
  #channel = new MessageChannel()

  constructor() {
    this.#channel.port1.onmessage = () => this.#beat()
    this.#channel.port2.postMessage(null)
  }

  stop() {
    this.#note()
    this.#channel.port1.close()
  }

  #beat() {
    this.#note()
    this.#channel.port2.postMessage(null)
  }

  #note() {
    const now = performance.now()
    this.longest = Math.max(this.longest, now - this.#last)
    this.#last = now
  }
}

/**
 * Measures from the start of the work: `ms` until all elements in view are rendered and laid out, `all` until every element
 * is, and `blocked`, the longest time for which the page was blocked.
 */
async function timed(subject, work) {
  await idle()
  const before = renders
  const pulse = new Pulse()
  const begun = performance.now()
  work()
  await subject.seen()
  void home.offsetHeight
  const ms = performance.now() - begun
  await subject.drawn()
  void home.offsetHeight
  const all = performance.now() - begun
  await new Promise((resolve) => {
    setTimeout(resolve)
  })
  pulse.stop()
  return { ms, all, blocked: pulse.longest, renders: renders - before }
}

/** The median of several runs: the first runs are slow, because the browser has not compiled the code yet. */
async function repeated(subject, times) {
  const runs = []
  for (let i = 0; i < times; i++) runs.push(await timed(subject, () => subject.change(1)))
  const [median] = runs.toSorted((one, other) => one.ms - other.ms).slice(times / 2)
  return median
}

async function measure(subject, count) {
  const created = await timed(subject, () => subject.create())
  const one = await timed(subject, () => subject.change(0))
  const warm = await repeated(subject, 20)
  const all = await timed(subject, () => {
    for (let i = 0; i < count; i++) subject.change(i)
  })
  const separate = await timed(subject, () => {
    for (let i = 0; i < Math.min(100, count); i++) subject.change(i)
  })
  return { created, one, warm, all, separate }
}

/** The cards in view: all cards before the first one that is below the window. */
async function inView(cards) {
  await Promise.resolve()
  const below = cards.findIndex((card) => card.getBoundingClientRect().top >= innerHeight)
  return below < 0 ? cards : cards.slice(0, below)
}

window.measureCards = async (count, row) => {
  const { MqttStatusCard } = await import(new URL('/mqtt-status.js', location.href).href)
  const { render } = MqttStatusCard.prototype
  MqttStatusCard.prototype.render = function () {
    renders++
    return render.call(this)
  }
  const store = new Store(count, row)
  const cards = []
  return measure(
    {
      create: () => {
        for (let i = 0; i < count; i++) {
          const card = document.createElement('mqtt-status-card')
          card.setAttribute('connection-id', `c${i}`)
          card.client = store
          cards.push(card)
        }
        home.append(...cards)
      },
      change: (i) => store.change(`c${i}`),
      seen: async () => {
        for (const card of await inView(cards)) await card.updateComplete
      },
      drawn: () => Promise.all(cards.map((card) => card.updateComplete)),
    },
    count,
  )
}

/** The shadow tree of a connected card and of a failed one, and their style sheets, as text. */
window.takeTrees = async (row) => {
  await import(new URL('/mqtt-status.js', location.href).href)
  const store = new Store(1, row)
  const card = document.createElement('mqtt-status-card')
  card.setAttribute('connection-id', 'c0')
  card.client = store
  home.append(card)
  await card.updateComplete
  const root = card.shadowRoot
  const { innerHTML: connected } = root
  store.change('c0')
  await card.updateComplete
  const styles = root.adoptedStyleSheets.flatMap(({ cssRules }) =>
    Array.from(cssRules, ({ cssText }) => cssText),
  )
  return { connected, failed: root.innerHTML, styles: styles.join('\n') }
}

window.measureFloor = ({ connected, failed, styles }, count) => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(styles)
  const [before, after] = [connected, failed].map((html) => {
    const template = document.createElement('template')
    template.innerHTML = html
    return template.content
  })
  // A change of the status writes the tone, the icon, the word, the time and the reason.
  const reason = after.querySelector('[part=reason]')
  const looks = [before, after].map((tree) => ({
    card: tree.querySelector('.card').className,
    icon: Array.from(tree.querySelectorAll('.icon path'), (path) => path.getAttribute('d')),
    word: tree.querySelector('.word').textContent,
    time: tree.querySelector('time').textContent,
  }))
  const hosts = []
  const changed = new Set()
  return measure(
    {
      create: () => {
        for (let i = 0; i < count; i++) {
          const host = document.createElement('div')
          const root = host.attachShadow({ mode: 'open' })
          root.adoptedStyleSheets = [sheet]
          root.append(document.importNode(before, true))
          hosts.push(host)
        }
        home.append(...hosts)
      },
      change: (i) => {
        const root = hosts[i].shadowRoot
        const isChanged = changed.delete(i)
        if (!isChanged) changed.add(i)
        const look = looks[isChanged ? 0 : 1]
        root.querySelector('.card').className = look.card
        root
          .querySelectorAll('.icon path')
          .forEach((path, k) => path.setAttribute('d', look.icon[k]))
        root.querySelector('.word').textContent = look.word
        root.querySelector('time').textContent = look.time
        root
          .querySelector('.message')
          .replaceChildren(...(isChanged ? [] : [reason.cloneNode(true)]))
      },
      // `change` has rendered everything already.
      seen: () => Promise.resolve(),
      drawn: () => Promise.resolve(),
    },
    count,
  )
}
