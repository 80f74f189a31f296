// A client without a server: it has the interface that the elements use, and the state that the catalogue sets. It answers
// commands after a delay, as a server would; a retry shows the attempt, and changes nothing.

export class FakeClient {
  // Without an address the elements have no advice for the developer of the page.
  src = null
  #view
  #link
  #can
  #answer
  #retryAfterMs
  #others
  #trying = false
  #listeners = new Set()
  #linkListeners = new Set()

  /**
   * @param answer how commands end: `done`, a code of the server, or `never`
   * @param retryAfterMs for how long the server takes no other command after one that failed
   * @param others more rows of the same site
   */
  constructor({
    row = null,
    missing = false,
    pending = null,
    link = 'live',
    cause = null,
    can,
    answer = 'done',
    retryAfterMs,
    others = [],
  }) {
    this.#view = { connection: row, missing, pending }
    const retryAt = link === 'stale' ? Date.now() + 3_600_000 : null
    this.#link = { state: link, since: Date.now() - 240_000, retryAt, cause }
    this.#can = can ?? ['view', 'control']
    this.#answer = answer
    this.#retryAfterMs = retryAfterMs
    this.#others = others
  }

  get link() {
    return this.#link
  }

  get can() {
    return this.#can
  }

  now() {
    return Date.now()
  }

  connection() {
    return {
      get: () => this.#view,
      subscribe: (listener) => {
        this.#listeners.add(listener)
        listener(this.#view)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  watch() {
    return () => undefined
  }

  answered() {
    return true
  }

  rows() {
    return this.#view.connection ? [this.#view.connection, ...this.#others] : []
  }

  summary() {
    return null
  }

  onLink(listener) {
    this.#linkListeners.add(listener)
    return () => this.#linkListeners.delete(listener)
  }

  async refresh() {
    const before = this.#link
    // One attempt at a time, and none while the link is live.
    if (before.state === 'live' || this.#trying) return
    this.#trying = true
    this.#tell({ ...before, state: 'connecting', cause: null, retryAt: null })
    await after(1_200)
    this.#trying = false
    this.#tell(before)
  }

  async command(_id, action) {
    this.#show({ pending: { action, phase: 'accepted' } })
    await after(1_200)
    if (this.#answer === 'never') {
      this.#show({ pending: { action, phase: 'overdue' } })
      return { outcome: 'timeout', code: null }
    }
    if (this.#answer !== 'done') {
      this.#show({ pending: null })
      return { outcome: 'failed', code: this.#answer, retryAfterMs: this.#retryAfterMs }
    }
    const on = action !== 'disconnect'
    const connection = {
      ...this.#view.connection,
      desired: on ? 'connected' : 'disconnected',
      desiredBy: on ? null : 'you',
      desiredAt: new Date().toISOString(),
      status: on ? 'connected' : 'disconnected',
      reason: on ? null : 'command',
      detail: null,
      since: new Date().toISOString(),
      revision: this.#view.connection.revision + 1,
    }
    this.#show({ connection, pending: null })
    return { outcome: 'done', code: null }
  }

  #tell(link) {
    this.#link = link
    for (const listener of [...this.#linkListeners]) listener(link)
  }

  #show(change) {
    this.#view = { ...this.#view, ...change }
    for (const listener of [...this.#listeners]) listener(this.#view)
  }
}

function after(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
