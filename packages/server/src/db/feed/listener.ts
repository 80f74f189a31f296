/**
 * The one session that listens. A LISTEN ends without an error when its network path is cut, so the listener probes its own
 * session every 10 s. It replaces a session that fails, because postgres.js reconnects without reporting whether it
 * listens again.
 */
import { fullJitter } from '@mqtt-status/protocol'
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import type { Log } from '../../log.ts'
import { within } from '../../model/deadline.ts'
import type { Channels } from '../schema/installation.ts'
import { connectSql, quoted } from '../postgres/sql.ts'
import type { Pool } from '../postgres/sql.ts'

const BACKOFF = { baseMs: 200, capMs: 10_000 }

/** How the session is probed, in ms. */
export interface ListenerTiming {
  /** The time between two probes. */
  readonly probeMs: number
  /** How long the answer to a probe may take. */
  readonly answerMs: number
}

const TIMING: ListenerTiming = { probeMs: 10_000, answerMs: 5_000 }

export interface ListenerOptions {
  /** A direct address: a pooler in transaction mode can't LISTEN. */
  readonly address: PostgresAddress | string
  /** @default every 10 s, 5 s to answer */
  readonly timing?: ListenerTiming
  readonly log: Log
  /** Rows have changed, or may have changed while no session listened. */
  readonly onPoke: () => void
  /** A node has called all nodes; `null`: this node may have missed calls. */
  readonly onCall?: (call: string | null) => void
}

type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'connecting'; readonly client: Pool }
  | { readonly kind: 'listening'; readonly client: Pool; readonly probe: NodeJS.Timeout }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }

export class Listener {
  readonly #options: ListenerOptions
  readonly #timing: ListenerTiming
  #state: State = { kind: 'stopped' }
  #channels: Channels = { changes: '', calls: '' }
  #attempt = 0
  /** How often a session was lost and replaced. */
  reconnects = 0
  /** How many notifications arrived. */
  notifications = 0

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#timing = options.timing ?? TIMING
  }

  get listening(): boolean {
    return this.#state.kind === 'listening'
  }

  start(channels: Channels): void {
    if (this.#state.kind !== 'stopped') return
    this.#channels = channels
    this.#connect()
  }

  async stop(): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    if (state.kind === 'waiting') clearTimeout(state.timer)
    if (state.kind === 'listening') clearInterval(state.probe)
    if (state.kind === 'listening' || state.kind === 'connecting')
      await state.client.end({ timeout: 1 })
  }

  #connect(): void {
    const { changes, calls } = this.#channels
    const client = connectSql(this.#options.address, {
      max: 1,
      applicationName: 'mqtt-status-listen',
      onnotify: (channel, payload) => {
        if (channel === calls) {
          this.#options.onCall?.(payload)
          return
        }
        this.notifications++
        this.#options.onPoke()
      },
      onclose: () => {
        this.#lost(client, 'the session was closed')
      },
    })
    this.#state = { kind: 'connecting', client }
    const listen = `listen ${quoted(changes)}; listen ${quoted(calls)}`
    within(this.#timing.answerMs * 2, client.unsafe(listen)).then(
      () => {
        this.#listening(client)
      },
      (error: unknown) => {
        this.#lost(client, messageOf(error))
      },
    )
  }

  #listening(client: Pool): void {
    if (!this.#isCurrent(client)) return
    const probe = setInterval(() => void this.#probe(client), this.#timing.probeMs)
    this.#state = { kind: 'listening', client, probe }
    this.#options.log.debug('listening for changes')
    // Notifications were lost while no session listened, so the feed reads now.
    this.#options.onPoke()
    this.#options.onCall?.(null)
  }

  async #probe(client: Pool): Promise<void> {
    try {
      const channels = await within(
        this.#timing.answerMs,
        client<{ channel: string }[]>`select pg_listening_channels() as channel`,
      )
      const heard = channels.map(({ channel }) => channel)
      const { changes, calls } = this.#channels
      if (!heard.includes(changes) || !heard.includes(calls)) throw new Error('it does not listen')
      this.#attempt = 0
    } catch (error) {
      this.#lost(client, messageOf(error))
    }
  }

  #lost(client: Pool, why: string): void {
    if (!this.#isCurrent(client)) return
    if (this.#state.kind === 'listening') clearInterval(this.#state.probe)
    const waitMs = fullJitter(this.#attempt++, BACKOFF, Math.random())
    this.#options.log.warn({ why, waitMs: Math.round(waitMs) }, 'listening session lost')
    this.#state = {
      kind: 'waiting',
      timer: setTimeout(() => {
        this.reconnects++
        this.#connect()
      }, waitMs),
    }
    // At once: a socket whose network path is cut never answers.
    client.end({ timeout: 0 }).catch(() => undefined)
  }

  #isCurrent(client: Pool): boolean {
    const state = this.#state
    return (state.kind === 'connecting' || state.kind === 'listening') && state.client === client
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown failure'
}
