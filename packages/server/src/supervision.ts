/**
 * Whether connections are kept here, and by which term of supervision; and what every node does about connections that
 * are kept elsewhere, or by nobody.
 *
 *   starting ──begin, adopted──▶ on ──not adopted, or another epoch──▶ ending ──let go──▶ paused
 *      │└─────begin, not adopted──────────────▶ paused ──adopted, with a snapshot──▶ on
 *      └──────begin, switched off─────────────▶ off
 *
 * A copy of a database (a restored dump, a promoted standby) is not supervised until somebody has adopted it: it would
 * dial the brokers of its original with the client ids of the original. And a term knows one history only, so another
 * epoch always gets another term, which begins with all rows.
 */
import { randomUUID } from 'node:crypto'
import type { Config } from './config/config.ts'
import type { FeedRead } from './db/feed/change-feed.ts'
import { Checks } from './db/ownership/checks.ts'
import type { CheckResult } from './db/ownership/checks.ts'
import type { Lanes } from './db/postgres/lanes.ts'
import type { Secrets } from './db/secrets/secrets.ts'
import { Vigil } from './db/ownership/vigil.ts'
import type { Log } from './log.ts'
import type { Resolver } from './dns/resolver.ts'
import { Term } from './term.ts'

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

/** What a node is doing about connections, as `/readyz` and embedders see it. */
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
  /** The epoch that the operator was warned about. */
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

  /** `off`: by configuration. `paused`: the database is a copy that nobody has adopted. */
  get state(): SupervisionState {
    return this.#state.kind === 'ending' ? 'paused' : this.#state.kind
  }

  /** Connections that are kept here, whatever their state. */
  get size(): number {
    return this.#state.kind === 'on' ? this.#state.term.size : 0
  }

  /** What the feed has read; held until it may begin. */
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

  /** What instances call to each other; `null`: calls may have been missed. */
  hear(called: string | null): void {
    this.#checks.hear(called)
    if (this.#state.kind === 'on') this.#state.term.hear(called)
  }

  /** Acts on what was read so far, and from now on at once. */
  begin(): void {
    if (this.#state.kind !== 'starting') return
    const { held } = this.#state
    this.#vigil.start()
    this.#state = { kind: this.#options.supervisor.enabled ? 'paused' : 'off' }
    for (const read of held) this.reconcile(read)
  }

  /**
   * Asks the broker whether a connection is really there, through whichever instance keeps it; within 6 s.
   *
   * @returns `supervisor_lost` where nobody keeps it
   */
  check(id: string): Promise<CheckResult> {
    return this.#checks.ask(id)
  }

  /**
   * Hands all connections over, or closes them; may be called again.
   *
   * @param budgetMs how long connections may be kept for their next owners
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

  /** What it would still write is void: the rows of a copy have no owner. */
  #pause(term: Term): void {
    if (this.#stopping !== null) return
    const ended = term.close().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'connections could not be let go cleanly')
    })
    this.#state = { kind: 'ending', ended }
    void ended.then(() => {
      if (this.#state.kind !== 'ending') return
      this.#state = { kind: 'paused' }
      this.#options.startOver()
    })
  }
}
