/** What this page listens to, by head count: the first who asks opens a watch, the last who leaves ends it. */
import type { WatchFilter } from '@mqtt-status/protocol'

export interface Filter {
  readonly connections: ReadonlySet<string>
  readonly sites: ReadonlySet<string>
  readonly all: boolean
}

/** A page that is being rebuilt lets go and asks again: nothing is told to the server before this, in ms. */
const GRACE_MS = 5_000
const ALL = 'all'

type Kind = 'connections' | 'sites' | 'summary' | 'all'

export interface WatchSetListener {
  readonly onAdd: (added: WatchFilter) => void
  readonly onRemove: (removed: WatchFilter) => void
}

export class WatchSet {
  readonly #listener: WatchSetListener
  readonly #heads = new Map<string, number>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #added: string[] = []

  constructor(listener: WatchSetListener) {
    this.#listener = listener
  }

  get empty(): boolean {
    return this.#heads.size === 0
  }

  has(kind: Kind, name: string = ALL): boolean {
    return this.#heads.has(key(kind, name))
  }

  /** Everything, as one watch. */
  get filter(): WatchFilter {
    return toFilter([...this.#heads.keys()])
  }

  /** @returns what undoes it, once */
  add(filter: WatchFilter): () => void {
    const keys = toKeys(filter)
    for (const name of keys) {
      const heads = this.#heads.get(name) ?? 0
      this.#heads.set(name, heads + 1)
      if (heads === 0) this.#announce(name)
    }
    let undone = false
    return () => {
      if (undone) return
      undone = true
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#release(keys)
      }, GRACE_MS)
      this.#timers.add(timer)
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#heads.clear()
    this.#added = []
  }

  /** All cards of a page that appear in one go are one message. */
  #announce(name: string): void {
    this.#added.push(name)
    if (this.#added.length > 1) return
    queueMicrotask(() => {
      const added = this.#added.filter((one) => this.#heads.has(one))
      this.#added = []
      if (added.length > 0) this.#listener.onAdd(toFilter(added))
    })
  }

  #release(keys: readonly string[]): void {
    const gone: string[] = []
    for (const name of keys) {
      const heads = (this.#heads.get(name) ?? 0) - 1
      if (heads > 0) this.#heads.set(name, heads)
      else if (this.#heads.delete(name)) gone.push(name)
    }
    if (gone.length > 0) this.#listener.onRemove(toFilter(gone))
  }
}

function key(kind: Kind, name: string): string {
  return `${kind}:${name}`
}

function toKeys({ connections = [], sites = [], summary = [], all }: WatchFilter): string[] {
  return [
    ...connections.map((name) => key('connections', name)),
    ...sites.map((name) => key('sites', name)),
    ...summary.map((name) => key('summary', name)),
    ...(all ? [key('all', ALL)] : []),
  ]
}

function toFilter(keys: readonly string[]): WatchFilter {
  const filter: Partial<Record<Kind, string[]>> = {}
  for (const name of keys) {
    const at = name.indexOf(':')
    const kind = name.slice(0, at) as Kind
    ;(filter[kind] ??= []).push(name.slice(at + 1))
  }
  const { all, ...lists } = filter
  return { ...lists, ...(all === undefined ? {} : { all: true }) }
}
