/**
 * Whether connections are kept, and by which supervisor.
 *
 *   starting ──begin, adopted──▶ on ──not adopted, or another epoch──▶ ending ──let go──▶ paused
 *      └──────begin, not adopted──────────────▶ paused ──adopted, with a snapshot──▶ on
 *
 * A copy of a database (a restored dump, a promoted standby) is not supervised until somebody has adopted it: it would
 * dial the brokers of its original with the client ids of the original. And a supervisor knows one history only, so
 * another epoch always gets another supervisor, which begins with all rows.
 */
import { randomUUID } from 'node:crypto'
import type { Config } from './config.ts'
import { writeActivity } from './db/activity.ts'
import type { FeedRead } from './db/change-feed.ts'
import { claim, release } from './db/ownership.ts'
import { readForDial } from './db/secrets.ts'
import type { Secrets } from './db/secrets.ts'
import type { Sql } from './db/sql.ts'
import { writeStatuses } from './db/status-writes.ts'
import type { Log } from './log.ts'
import { Supervisor } from './mqtt/supervisor.ts'
import type { CheckResult } from './mqtt/supervisor.ts'

export interface SupervisionOptions {
  readonly sql: Sql
  readonly supervisor: Config['supervisor']
  readonly secrets: Secrets
  /** Asks the feed for a snapshot. */
  readonly startOver: () => void
  readonly log: Log
}

type State =
  | { readonly kind: 'starting'; readonly held: FeedRead[] }
  | { readonly kind: 'paused' }
  | { readonly kind: 'on'; readonly supervisor: Supervisor; readonly epoch: string }
  | { readonly kind: 'ending'; readonly ended: Promise<void> }
  | { readonly kind: 'stopped' }

export type SupervisionState = Exclude<State['kind'], 'ending'>

const PAUSED =
  'supervision is paused: this database is a copy (a restored backup, a promoted standby), and dialling could disturb ' +
  'the connections of its original; clients are served. If the original is gone, or never had these brokers: ' +
  'run "mqtt-status doctor --adopt", or start with ADOPT_DATABASE=1'

export class Supervision {
  readonly #options: SupervisionOptions
  readonly #ownerId = randomUUID()
  #state: State = { kind: 'starting', held: [] }
  /** The epoch that the operator was warned about. */
  #warned: string | null = null

  constructor(options: SupervisionOptions) {
    this.#options = options
  }

  /** `paused`: the database is a copy that nobody has adopted. */
  get state(): SupervisionState {
    return this.#state.kind === 'ending' ? 'paused' : this.#state.kind
  }

  /** Connections that are kept, whatever their state. */
  get size(): number {
    return this.#state.kind === 'on' ? this.#state.supervisor.size : 0
  }

  /** What the feed has read; held until it may begin. */
  reconcile(read: FeedRead): void {
    switch (this.#state.kind) {
      case 'starting':
        this.#state.held.push(read)
        return
      case 'on':
        if (read.adopted && read.epoch === this.#state.epoch) this.#state.supervisor.reconcile(read)
        else this.#pause(this.#state.supervisor)
        return
      case 'paused':
        this.#resume(read)
        return
      case 'ending':
      case 'stopped':
    }
  }

  /** Acts on what was read so far, and from now on at once. */
  begin(): void {
    if (this.#state.kind !== 'starting') return
    const { held } = this.#state
    this.#state = { kind: 'paused' }
    for (const read of held) this.reconcile(read)
  }

  /**
   * Asks the broker whether a connection is really there.
   *
   * @returns `supervisor_lost` where it is not kept here
   */
  async check(id: string): Promise<CheckResult> {
    const found = this.#state.kind === 'on' ? await this.#state.supervisor.check(id) : null
    return found ?? { ok: false, reason: 'supervisor_lost', tookMs: 0 }
  }

  /** Lets go of all connections and rows. */
  async stop(): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    if (state.kind === 'ending') await state.ended
    if (state.kind === 'on') await state.supervisor.stop()
    if (state.kind !== 'starting') await release(this.#options.sql, this.#ownerId)
  }

  #resume(read: FeedRead): void {
    const { log, startOver } = this.#options
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
    const supervisor = this.#supervise(read.epoch)
    this.#state = { kind: 'on', supervisor, epoch: read.epoch }
    supervisor.reconcile(read)
  }

  /** What it would still write is void: the rows of a copy have no owner. */
  #pause(supervisor: Supervisor): void {
    const ended = supervisor.stop().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'connections could not be let go cleanly')
    })
    this.#state = { kind: 'ending', ended }
    void ended.then(() => {
      if (this.#state.kind !== 'ending') return
      this.#state = { kind: 'paused' }
      this.#options.startOver()
    })
  }

  #supervise(epoch: string): Supervisor {
    const { sql, log, secrets, supervisor } = this.#options
    return new Supervisor({
      store: {
        claim: (ids) => claim(sql, this.#ownerId, ids),
        write: (writes) => writeStatuses(sql, this.#ownerId, writes),
        writeActivity: (writes) => writeActivity(sql, this.#ownerId, writes),
        secrets: (ids) => readForDial(secrets, ids),
      },
      epoch: () => epoch,
      dialConcurrency: supervisor.dialConcurrency,
      allow: supervisor.allow,
      activityFlushMs: supervisor.activityFlushMs,
      log,
    })
  }
}
