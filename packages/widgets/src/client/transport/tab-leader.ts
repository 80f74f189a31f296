/**
 * The tab that has the WebSocket, for itself and for the others. The leader sends each watch of a tab under an id of its
 * own, posts an answer to the tab that has sent the watch, and every other message to all tabs. It keeps no rows.
 */
import { CLOSE_CODES, LOST } from '@mqtt-status/protocol'
import type { ClientMessage, Welcome } from '@mqtt-status/protocol'
import { readMessage } from '../incoming.ts'
import { toJson } from '../json.ts'
import type { OpenTransport, Transport } from './transport.ts'
import { toFilter, toNames } from '../names.ts'

/** From a tab to the leader; the other tabs get it too, so it shares no member with {@link FromLeader}. */
export interface ToLeader {
  readonly from: string
  /** The tab wants to use the leader's transport. */
  readonly joins?: boolean
  /** A message for the server. */
  readonly sends?: ClientMessage
  readonly leaves?: boolean
}

/** From the leader to a tab, or to all. */
export interface FromLeader {
  readonly to?: string
  /** There is a new leader. */
  readonly started?: boolean
  /** The leader accepts the tab that has joined. */
  readonly accepted?: boolean
  /** A message of the server. */
  readonly message?: string
  /** The close code of the transport. */
  readonly closed?: number
}

/** All tabs renew their token at about the same time. The leader sends the first one only. */
const AUTH_EVERY_MS = 10_000
/** A little less than the wait of a tab before its next message to the leader. */
const LEADER_SILENCE_MS = 9_000
const LEADER_PROBE_MS = 1_500

export class TabLeader {
  readonly #channel: BroadcastChannel
  readonly #src: string
  readonly #openTransport: OpenTransport
  /** The tabs that watch a name. */
  readonly #watchers = new Map<string, Set<string>>()
  /** The tab of each watch that is not answered, and the tab's own id for it. */
  readonly #asked = new Map<number, { readonly to: string; readonly id: number | undefined }>()
  readonly #pinging = new Set<string>()
  #transport: Transport | null = null
  /** Messages of tabs before the transport is open. */
  #waiting: ClientMessage[] | null = []
  #welcome: { readonly message: Welcome; readonly atMs: number } | null = null
  #feed: string | null = null
  #lastId = 0
  #receivedAt = 0
  #pingedAt = 0
  #authAt = -Infinity

  constructor(name: string, src: string, openTransport: OpenTransport) {
    this.#src = src
    this.#openTransport = openTransport
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = ({ data }: MessageEvent<ToLeader>) => {
      if (data.joins) this.#accept(data.from)
      else if (data.leaves) this.#unwatch(data.from, [...this.#watchers.keys()])
      else if (data.sends) this.#forward(data.from, data.sends)
    }
    this.#post({ started: true })
  }

  stop(): void {
    this.#transport?.close()
    this.#transport = null
    this.#post({ closed: CLOSE_CODES.resync })
    this.#channel.close()
  }

  #post(message: FromLeader): void {
    this.#channel.postMessage(message)
  }

  /** Only the leader can close a dead transport. A tab without an answer leaves, and joins again. */
  #accept(to: string): void {
    const nowMs = performance.now()
    const heartbeatMs = this.#welcome?.message.heartbeatMs ?? 0
    const isSilent = nowMs - this.#receivedAt > heartbeatMs + LEADER_SILENCE_MS
    const isMute = this.#pinging.size > 0 && nowMs - this.#pingedAt > LEADER_PROBE_MS
    if (this.#transport && (isSilent || isMute)) this.#close(LOST)
    this.#post({ to, accepted: true })
  }

  #close(closed: number): void {
    this.#transport?.close()
    this.#transport = this.#welcome = this.#feed = null
    this.#waiting = []
    this.#watchers.clear()
    this.#asked.clear()
    this.#pinging.clear()
    this.#post({ closed })
  }

  #forward(from: string, message: ClientMessage): void {
    switch (message.type) {
      case 'hello':
        this.#sendWelcome(from, message)
        return
      case 'watch': {
        const id = ++this.#lastId
        this.#asked.set(id, { to: from, id: message.id })
        for (const name of toNames(message))
          this.#watchers.set(name, (this.#watchers.get(name) ?? new Set()).add(from))
        this.#send({ ...message, id })
        return
      }
      case 'unwatch':
        this.#unwatch(from, toNames(message))
        return
      case 'auth':
        if (performance.now() - this.#authAt < AUTH_EVERY_MS) return
        this.#authAt = performance.now()
        break
      case 'ping':
        if (this.#pinging.size === 0) this.#pingedAt = performance.now()
        this.#pinging.add(from)
        break
      case 'pong':
        return
    }
    this.#send(message)
  }

  #sendWelcome(to: string, hello: ClientMessage): void {
    if (!this.#transport) this.#dial(hello)
    if (!this.#welcome) return
    const { message, atMs } = this.#welcome
    const now = new Date(Date.parse(message.now) + performance.now() - atMs).toISOString()
    this.#post({ to, message: toJson({ ...message, now }) })
    if (this.#feed) this.#post({ to, message: this.#feed })
  }

  #dial(hello: ClientMessage): void {
    this.#receivedAt = performance.now()
    const transport = this.#openTransport(this.#src, {
      onOpen: () => {
        transport.send(hello)
        for (const message of this.#waiting ?? []) transport.send(message)
        this.#waiting = null
      },
      onMessage: (text) => {
        if (transport === this.#transport) this.#receive(text)
      },
      onClose: (closed) => {
        if (transport === this.#transport) this.#close(closed)
      },
    })
    this.#transport = transport
  }

  #send(message: ClientMessage): void {
    if (this.#waiting) this.#waiting.push(message)
    else this.#transport?.send(message)
  }

  #receive(text: string): void {
    this.#receivedAt = performance.now()
    const message = readMessage(text)
    if (message === null) {
      this.#close(LOST)
      return
    }
    switch (message.type) {
      case 'welcome':
        this.#welcome = { message, atMs: performance.now() }
        break
      case 'feed':
        this.#feed = message.state === 'stale' ? text : null
        break
      case 'ping':
        this.#transport?.send({ type: 'pong' })
        break
      case 'pong':
        for (const to of this.#pinging) this.#post({ to, message: text })
        this.#pinging.clear()
        return
      case 'bye':
        this.#post({ message: text })
        this.#close(message.code)
        return
      case 'snapshot':
      case 'patch':
      case 'error': {
        const asked = this.#asked.get(message.id ?? 0)
        if (!asked) break
        if (!('final' in message) || message.final) this.#asked.delete(message.id ?? 0)
        this.#post({ to: asked.to, message: toJson({ ...message, id: asked.id }) })
        return
      }
      default:
    }
    this.#post({ message: text })
  }

  /** Unwatches the names that no tab watches any more. */
  #unwatch(from: string, names: readonly string[]): void {
    const gone = names.filter((name) => {
      const watchers = this.#watchers.get(name)
      return watchers?.delete(from) && watchers.size === 0 && this.#watchers.delete(name)
    })
    if (gone.length > 0) this.#send({ type: 'unwatch', ...toFilter(gone) })
  }
}
