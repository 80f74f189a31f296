/** One tab's end of the WebSocket that all tabs of a browser share; the tab that holds the lock has the other end. */
import type { ClientMessage } from '@mqtt-status/protocol'
import { TabLeader } from './tab-leader.ts'
import type { Told } from './tab-leader.ts'
import type { OpenTransport } from './transport.ts'

/** A leader that does not answer for so long is dead without having let go of its lock. */
const PATIENCE_MS = 5_000
/** A tab that dials again has not left. */
const LINGER_MS = 2_000
const RESYNC = 4202
/** A frozen page would still hold its lock. There is no such thing in Node. */
const LEFT = typeof document === 'undefined' ? [] : ['pagehide', 'freeze']

/** This page's place in the queue for the lock, for as long as anything here uses it. */
class Candidate {
  readonly #name: string
  readonly #lead: () => TabLeader
  #members = 0
  #resign: () => void = () => undefined
  #leaving: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, lead: () => TabLeader) {
    this.#name = name
    this.#lead = lead
    this.#stand({})
    for (const type of LEFT) globalThis.addEventListener(type, this.#leave, { capture: true })
  }

  join(): void {
    clearTimeout(this.#leaving)
    this.#members++
  }

  part(): void {
    if (--this.#members > 0) return
    // Frozen, it has left at once, and another one may stand here by now.
    if (candidates.get(this.#name) === this) this.#leaving = setTimeout(this.#leave, LINGER_MS)
  }

  /** Takes the lock from whoever holds it. */
  usurp(): void {
    this.#resign()
    this.#stand({ steal: true })
  }

  #stand(how: LockOptions): void {
    const undo = new AbortController()
    const { promise: resigned, resolve } = Promise.withResolvers<null>()
    let leader: TabLeader | null = null
    this.#resign = () => {
      resolve(null)
      leader?.stop()
      leader = null
      undo.abort()
    }
    navigator.locks
      .request(this.#name, how.steal ? how : { signal: undo.signal }, () => {
        leader = this.#lead()
        return resigned
      })
      // Taken back, or taken away.
      .catch(() => {
        leader?.stop()
      })
  }

  readonly #leave = (): void => {
    candidates.delete(this.#name)
    clearTimeout(this.#leaving)
    for (const type of LEFT) globalThis.removeEventListener(type, this.#leave, { capture: true })
    this.#resign()
  }
}

const candidates = new Map<string, Candidate>()

/** @param name says which server, who asks, and the version of what tabs tell each other: others are not heard */
export function openAmongTabs(name: string, openLine: OpenTransport): OpenTransport {
  return (src, { onOpen, onMessage, onClose }) => {
    const me = crypto.randomUUID()
    const channel = new BroadcastChannel(name)
    let isOpen = false
    const candidate =
      candidates.get(name) ?? new Candidate(name, () => new TabLeader(name, src, openLine))
    candidates.set(name, candidate)
    candidate.join()
    const impatience = setTimeout(() => {
      candidate.usurp()
    }, PATIENCE_MS)
    const say = (words: object): void => {
      channel.postMessage({ from: me, ...words })
    }

    channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.to !== undefined && data.to !== me) return
      if (data.started && isOpen) onClose(RESYNC)
      else if (data.started) say({ knocks: true })
      else if (data.opens) {
        clearTimeout(impatience)
        isOpen = true
        onOpen()
      } else if (data.hear !== undefined && isOpen) onMessage(data.hear)
      else if (data.closed !== undefined && isOpen) onClose(data.closed)
    }
    say({ knocks: true })
    return {
      send(message: ClientMessage) {
        say({ says: message })
        return true
      },
      close() {
        clearTimeout(impatience)
        say({ leaves: true })
        channel.close()
        candidate.part()
      },
    }
  }
}
