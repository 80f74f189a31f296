/**
 * Whether this node supervises connections: dials them, keeps them, and writes their status. Each period in which it does
 * is a term (term.ts).
 *
 *   starting ──begin, adopted──▶ on ──not adopted, or another epoch──▶ ending ──closed──▶ paused
 *      │└─────begin, not adopted──────────────▶ paused ──adopted, with a snapshot──▶ on
 *      └──────begin, switched off─────────────▶ off
 *
 * A node does not supervise a copy of a database (a restored dump, a promoted standby) before an operator has adopted it:
 * the node would dial the brokers of the original with the client ids of the original. A term knows one history of the
 * database only, so another epoch always starts another term, which begins with all rows.
 *
 * The nodes of one database share its connections:
 *
 *   supervision ──▶ term ──▶ renewal      the lease of this node: while it is valid, no other node claims what it owns
 *        │           │──▶ share        how many connections this node claims or hands over
 *        │           │──▶ permit       whether this node may dial at this moment
 *        │           └──▶ mqtt/        the sessions of what this node owns
 *        │──▶ checks                   asks the owner of a connection whether it is alive
 *        └──▶ vigil                    marks connections that no node keeps as unknown
 */
import { randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { FeedRead } from '../db/feed/change-feed.ts'
import type { Lanes } from '../db/postgres/lanes.ts'
import type { Secrets } from '../db/secrets/secrets.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Log } from '../log.ts'
import type { CheckResult } from '../model/check-result.ts'
import { Checks } from './checks.ts'
import { Term } from './term.ts'
import { Vigil } from './vigil.ts'

export interface SupervisionOptions {
  readonly lanes: Lanes
  readonly version: string | null
  readonly supervisor: Config['supervisor']
  readonly secrets: Secrets
  readonly resolver: Resolver
  /** Asks the feed for a snapshot. */
  readonly startOver: () => void
  readonly log: Log
}

type State =
  | { readonly kind: 'starting'; readonly held: FeedRead[] }
  | { readonly kind: 'off' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'on'; readonly term: Term }
  | { readonly kind: 'ending'; readonly ended: Promise<void> }
  | { readonly kind: 'stopped' }

/** The state of supervision as `/readyz` and embedders see it. */
export type SupervisionState = 'starting' | 'off' | 'paused' | 'on' | 'stopped'

const PAUSED =
  'supervision is paused: this database is a copy (a restored backup, a promoted standby), and dialling could disturb ' +
  'the connections of its original; clients are served. If the original is gone, or never had these brokers: ' +
  'run "mqtt-status doctor --adopt", or start with ADOPT_DATABASE=1'

export class Supervision {
  readonly #options: SupervisionOptions
  readonly #ownerId = randomUUID()
  readonly #vigil: Vigil
  readonly #checks: Checks
  #state: State = { kind: 'starting', held: [] }
  /** The epoch of the copy that a warning in the log has named. */
  #warned: string | null = null
  #stopping: Promise<void> | null = null

  constructor(options: SupervisionOptions) {
    const { lanes, supervisor, log } = options
    const { queries, commands } = lanes
    this.#options = options
    this.#vigil = new Vigil({
      reads: lanes.dials,
      writes: lanes.keeping,
      ttlMs: supervisor.leaseTtlMs,
      log,
    })
    this.#checks = new Checks({
      queries,
      commands,
      ownerId: this.#ownerId,
      local: (id) =>
        this.#state.kind === 'on' ? this.#state.term.check(id) : Promise.resolve(null),
      log,
    })
  }

  /** `off`: by configuration. `paused`: the database is a copy that no operator has adopted. */
  get state(): SupervisionState {
    return this.#state.kind === 'ending' ? 'paused' : this.#state.kind
  }

  /** Connections that this node keeps, whatever their status. */
  get size(): number {
    return this.#state.kind === 'on' ? this.#state.term.size : 0
  }

  /** The feed has read rows; before `begin` they are held. */
  reconcile(read: FeedRead): void {
    switch (this.#state.kind) {
      case 'starting':
        this.#state.held.push(read)
        return
      case 'on':
        if (read.adopted && read.epoch === this.#state.term.epoch) this.#state.term.reconcile(read)
        else this.#pause(this.#state.term)
        return
      case 'paused':
        this.#resume(read)
        return
      case 'off':
      case 'ending':
      case 'stopped':
    }
  }

  /** A node has called all nodes; `null`: this node may have missed calls. */
  receive(call: string | null): void {
    this.#checks.receive(call)
    if (this.#state.kind === 'on') this.#state.term.receive(call)
  }

  /** Acts on the rows that were read so far, and from now on on each read. */
  begin(): void {
    if (this.#state.kind !== 'starting') return
    const { held } = this.#state
    this.#vigil.start()
    this.#state = { kind: this.#options.supervisor.enabled ? 'paused' : 'off' }
    for (const read of held) this.reconcile(read)
  }

  /**
   * Pings the broker of a connection, through the node that keeps it; resolves within 6 s.
   *
   * @returns `supervisor_lost` where no node keeps it
   */
  check(id: string): Promise<CheckResult> {
    return this.#checks.ask(id)
  }

  /**
   * Hands all connections over, or closes them; may be called again.
   *
   * @param budgetMs how long connections may stay open for their next owners
   */
  async stop(budgetMs: number): Promise<void> {
    await (this.#stopping ??= this.#stop(budgetMs))
  }

  async #stop(budgetMs: number): Promise<void> {
    const state = this.#state
    this.#checks.stop()
    if (state.kind === 'ending') await state.ended
    if (state.kind === 'on') await state.term.end(budgetMs)
    this.#state = { kind: 'stopped' }
    await this.#vigil.stop()
  }

  #resume(read: FeedRead): void {
    const { log, startOver } = this.#options
    if (this.#stopping !== null) return
    if (!read.adopted) {
      if (this.#warned !== read.epoch) log.warn(PAUSED)
      this.#warned = read.epoch
      return
    }
    if (read.kind !== 'snapshot') {
      startOver()
      return
    }
    if (this.#warned !== null) log.info('the database is adopted: supervision begins')
    this.#warned = null
    const term = new Term({ ...this.#options, ownerId: this.#ownerId, epoch: read.epoch })
    this.#state = { kind: 'on', term }
    term.reconcile(read)
  }

  /** The term writes nothing any more: the rows of a copy have no owner, so every write would change nothing. */
  #pause(term: Term): void {
    if (this.#stopping !== null) return
    const ended = term.close().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'connections could not be closed cleanly')
    })
    this.#state = { kind: 'ending', ended }
    void ended.then(() => {
      if (this.#state.kind !== 'ending') return
      this.#state = { kind: 'paused' }
      this.#options.startOver()
    })
  }
}
