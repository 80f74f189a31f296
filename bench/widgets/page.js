/**
 * What is measured, inside the page: either cards (`measureCards`), or the floor (`measureFloor`), which is the same
 * trees under the same style sheets, cloned and changed by hand without any element of ours. The store is the
 * benchmark's own: the cost of the elements is wanted, not the wire's.
 */

let renders = 0

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

/** A quiet page, so that what was before is not counted. */
function idle() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve, 50))
  })
}

/** Counts for how long nothing else got its turn on the page: what a click would have waited, in ms. */
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
 * From the work's beginning until all that can be seen is drawn and laid out (`ms`), until everything is (`all`), and
 * the longest that the page was blocked meanwhile (`blocked`).
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

/** The first of several is cold; the last ones are what a page that has been open for a while does. */
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

/** Those that a visitor sees, once their places are known: the first ones, until one is below the window. */
async function inView(cards) {
  await Promise.resolve()
  const below = cards.findIndex((card) => card.getBoundingClientRect().top >= innerHeight)
  return below < 0 ? cards : cards.slice(0, below)
}

window.measureCards = async (count) => {
  const { MqttStatusCard } = await import(new URL('/mqtt-status.js', location.href).href)
  const { render } = MqttStatusCard.prototype
  MqttStatusCard.prototype.render = function () {
    renders++
    return render.call(this)
  }
  const store = new Store(count)
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

/** The tree of a card that is connected and of one that has failed, and their style sheets, as text. */
window.takeTrees = async () => {
  await import(new URL('/mqtt-status.js', location.href).href)
  const store = new Store(1)
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
  // What a change of the status has to write: the tone, the icon, the word, the time and the reason.
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
      // Drawn by hand, all at once.
      seen: () => Promise.resolve(),
      drawn: () => Promise.resolve(),
    },
    count,
  )
}
