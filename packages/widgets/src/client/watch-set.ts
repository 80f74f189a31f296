/** What this page listens to, by head count: the first who asks opens a watch, the last who leaves ends it. */
import type { Connection, WatchFilter } from '@mqtt-status/protocol'

/** A page that is being rebuilt lets go and asks again: nothing is told to the server before this, in ms. */
const GRACE_MS = 5_000
/** Those who leave within the same moment leave together. */
const TOGETHER_MS = 100
const ALL = 'all'

type Kind = 'connections' | 'sites' | 'summary' | 'all'

export interface WatchSetListener {
  readonly onAdd: (added: WatchFilter) => void
  readonly onRemove: (removed: WatchFilter) => void
}

export class WatchSet {
  readonly #listener: WatchSetListener
  readonly #heads = new Map<string, number>()
  readonly #answered = new Set<string>()
  #added: string[] = []
  #leaving: { readonly names: readonly string[]; readonly atMs: number }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Those who listen to nothing but the line itself count, too. */
  #holders = 0

  constructor(listener: WatchSetListener) {
    this.#listener = listener
  }

  get empty(): boolean {
    return this.#holders === 0
  }

  has(kind: Kind, name: string = ALL): boolean {
    return this.#heads.has(`${kind}:${name}`)
  }

  /** Whether all of this has been told, and is still listened to. */
  answered(filter: WatchFilter): boolean {
    return toNames(filter).every((name) => this.#answered.has(name))
  }

  answer(filter: WatchFilter): void {
    // Who has left meanwhile may come back, and has to ask anew.
    for (const name of toNames(filter)) if (this.#heads.has(name)) this.#answered.add(name)
  }

  /** Nothing of what was told is true any more. */
  forget(): void {
    this.#answered.clear()
  }

  /**
   * Whether a row is listened to.
   *
   * @param besides what does not count
   */
  holds({ id, siteId }: Connection, besides: WatchFilter = {}): boolean {
    const { all, connections, sites } = besides
    return (
      (!all && this.has('all')) ||
      (this.has('connections', id) && !connections?.includes(id)) ||
      (this.has('sites', siteId) && !sites?.includes(siteId))
    )
  }

  /** Everything, as one watch. */
  get filter(): WatchFilter {
    return toFilter([...this.#heads.keys()])
  }

  /** @returns what undoes it, once */
  add(filter: WatchFilter): () => void {
    const names = toNames(filter)
    this.#holders++
    for (const name of names) {
      const heads = this.#heads.get(name) ?? 0
      this.#heads.set(name, heads + 1)
      if (heads === 0) this.#announce(name)
    }
    let undone = false
    return () => {
      if (undone) return
      undone = true
      this.#leaving.push({ names, atMs: performance.now() + GRACE_MS })
      this.#schedule()
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#holders = 0
    this.#heads.clear()
    this.forget()
    this.#added = []
    this.#leaving = []
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

  #schedule(): void {
    const [first] = this.#leaving
    clearTimeout(this.#timer)
    if (!first) return
    this.#timer = setTimeout(() => {
      this.#release(performance.now() + TOGETHER_MS)
      this.#schedule()
    }, first.atMs - performance.now())
  }

  #release(untilMs: number): void {
    const gone: string[] = []
    while (this.#leaving[0] && this.#leaving[0].atMs <= untilMs) {
      this.#holders--
      for (const name of this.#leaving.shift()?.names ?? []) {
        const heads = (this.#heads.get(name) ?? 0) - 1
        if (heads > 0) this.#heads.set(name, heads)
        else if (this.#heads.delete(name)) {
          this.#answered.delete(name)
          gone.push(name)
        }
      }
    }
    if (gone.length > 0 || this.empty) this.#listener.onRemove(toFilter(gone))
  }
}

/** Each thing that is named, as a text. */
export function toNames(filter: WatchFilter): string[] {
  const { connections = [], sites = [], summary = [], all } = filter
  return Object.entries({ connections, sites, summary, all: all ? [ALL] : [] }).flatMap(
    ([kind, names]) => names.map((name) => `${kind}:${name}`),
  )
}

/** The same as one watch. */
export function toFilter(names: readonly string[]): WatchFilter {
  const filter: Partial<Record<Kind, string[]>> = {}
  for (const name of names) {
    const at = name.indexOf(':')
    ;(filter[name.slice(0, at) as Kind] ??= []).push(name.slice(at + 1))
  }
  return { ...filter, ...(filter.all && { all: true }) } as WatchFilter
}
