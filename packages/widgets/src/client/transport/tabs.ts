/** One tab's end of the WebSocket that all tabs of a browser share; the tab that holds the lock has the other end. */
import { CLOSE_CODES } from '@mqtt-status/protocol'
import type { ClientMessage } from '@mqtt-status/protocol'
import { newRequestId } from '../request-id.ts'
import { TabLeader } from './tab-leader.ts'
import type { FromLeader, ToLeader } from './tab-leader.ts'
import type { OpenTransport, Transport, TransportListener } from './transport.ts'

/** A leader that has not accepted a tab within this time is dead, although it holds the lock: the tab steals it. */
const STEAL_AFTER_MS = 5_000
/** A page opens a transport of its own if no leader has answered by then. */
const ALONE_AFTER_MS = 8_000
/** A tab that opens a transport again within this time keeps its place. */
const LINGER_MS = 2_000
/** The page releases the lock at these events, because a frozen page would keep it. Node has no such events. */
const LEFT = typeof document === 'undefined' ? [] : ['pagehide', 'freeze']

/** This page's place in the queue for the lock, as long as a transport of the page uses it. */
class Candidate {
  readonly #name: string
  readonly #lead: () => TabLeader
  /** Callbacks of the members, called when the browser refuses the lock. */
  readonly #members = new Set<() => void>()
  #resign: () => void = () => undefined
  #leaving: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, lead: () => TabLeader) {
    this.#name = name
    this.#lead = lead
    this.#stand({})
    for (const type of LEFT) globalThis.addEventListener(type, this.#leave, { capture: true })
  }

  join(refuse: () => void): void {
    clearTimeout(this.#leaving)
    this.#members.add(refuse)
  }

  part(refuse: () => void): void {
    if (!this.#members.delete(refuse) || this.#members.size > 0) return
    // A frozen page has left at once, and a later place may be registered by now.
    if (candidates.get(this.#name) === this) this.#leaving = setTimeout(this.#leave, LINGER_MS)
  }

  /** Takes the lock from the tab that holds it. */
  steal(): void {
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
      .catch((error: unknown) => {
        leader?.stop()
        // This page has left, or another tab has stolen the lock. Any other error is a refusal.
        if ((error as Error).name !== 'AbortError') this.#refuse()
      })
  }

  #refuse(): void {
    refused.add(this.#name)
    for (const refuse of [...this.#members]) refuse()
  }

  readonly #leave = (): void => {
    candidates.delete(this.#name)
    clearTimeout(this.#leaving)
    for (const type of LEFT) globalThis.removeEventListener(type, this.#leave, { capture: true })
    this.#resign()
  }
}

const candidates = new Map<string, Candidate>()

/** Names whose lock the browser has refused to this page, which does not request them again. */
const refused = new Set<string>()

/**
 * Where tabs can't share (a sandboxed iframe has no locks, a browser may have no channels), the page has a transport of its
 * own.
 *
 * @param name names the server, the identity and the version of the messages between tabs; only tabs with the same name share
 */
export function openAmongTabs(name: string, openTransport: OpenTransport): OpenTransport {
  return (src, listener) => {
    if (refused.has(name)) return openTransport(src, listener)
    try {
      return new Member(name, src, { openTransport, listener })
    } catch {
      refused.add(name)
      return openTransport(src, listener)
    }
  }
}

interface MemberUses {
  readonly openTransport: OpenTransport
  readonly listener: TransportListener
}

/** One attempt of this page to reach the server through the leader. */
class Member implements Transport {
  readonly #me = newRequestId()
  readonly #channel: BroadcastChannel
  readonly #candidate: Candidate
  readonly #uses: MemberUses
  readonly #src: string
  #isOpen = false
  /** A transport of its own, after no leader has answered. */
  #own: Transport | null = null
  #isClosed = false
  readonly #stealTimer: ReturnType<typeof setTimeout>
  readonly #aloneTimer: ReturnType<typeof setTimeout>

  constructor(name: string, src: string, uses: MemberUses) {
    this.#uses = uses
    this.#src = src
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = ({ data }: MessageEvent<FromLeader>) => {
      this.#receive(data)
    }
    try {
      this.#candidate =
        candidates.get(name) ??
        new Candidate(name, () => new TabLeader(name, src, uses.openTransport))
    } catch (error) {
      this.#channel.close()
      throw error
    }
    candidates.set(name, this.#candidate)
    this.#candidate.join(this.#goAlone)
    this.#stealTimer = setTimeout(() => {
      this.#candidate.steal()
    }, STEAL_AFTER_MS)
    this.#aloneTimer = setTimeout(this.#goAlone, ALONE_AFTER_MS)
    this.#post({ joins: true })
  }

  send(message: ClientMessage): boolean {
    if (this.#own) return this.#own.send(message)
    this.#post({ sends: message })
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#leave()
    this.#own?.close()
  }

  #receive(data: FromLeader): void {
    const { onOpen, onMessage, onClose } = this.#uses.listener
    if (this.#own || (data.to !== undefined && data.to !== this.#me)) return
    if (data.started && this.#isOpen) onClose(CLOSE_CODES.resync)
    else if (data.started) this.#post({ joins: true })
    else if (data.accepted) {
      clearTimeout(this.#stealTimer)
      clearTimeout(this.#aloneTimer)
      this.#isOpen = true
      onOpen()
    } else if (data.message !== undefined && this.#isOpen) onMessage(data.message)
    else if (data.closed !== undefined && this.#isOpen) onClose(data.closed)
  }

  readonly #goAlone = (): void => {
    if (this.#isOpen || this.#isClosed || this.#own) return
    this.#leave()
    this.#own = this.#uses.openTransport(this.#src, this.#uses.listener)
  }

  #leave(): void {
    if (this.#own) return
    clearTimeout(this.#stealTimer)
    clearTimeout(this.#aloneTimer)
    this.#post({ leaves: true })
    this.#channel.close()
    this.#candidate.part(this.#goAlone)
  }

  #post(message: Omit<ToLeader, 'from'>): void {
    this.#channel.postMessage({ from: this.#me, ...message })
  }
}
