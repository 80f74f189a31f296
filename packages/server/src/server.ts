/**
 * Joins the rooms. Down: the server passes each read of the feed to the hub and to the supervision. Up: a command edits a row, and
 * the feed delivers the row. The rooms exchange nothing else.
 */
import { randomUUID } from 'node:crypto'
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import { Mirroring } from './attach/mirroring.ts'
import { refusalNotices, withNotices } from './auth/notices.ts'
import { createVerify } from './auth/tokens.ts'
import type { Config } from './config/config.ts'
import { ChangeFeed } from './db/feed/change-feed.ts'
import { command } from './db/connections/commands.ts'
import { KeyRing } from './db/secrets/key-ring.ts'
import type { Lane } from './db/postgres/lane.ts'
import { closeLanes, openLanes } from './db/postgres/lanes.ts'
import type { Lanes } from './db/postgres/lanes.ts'
import { migrate } from './db/schema/migrate.ts'
import { Secrets } from './db/secrets/secrets.ts'
import { connectSql } from './db/postgres/sql.ts'
import { TriggerWatch } from './db/schema/trigger-watch.ts'
import { Upkeep } from './db/upkeep/upkeep.ts'
import { SetupError } from './errors.ts'
import { listen } from './http/listen.ts'
import type { Listening, Portal } from './http/listen.ts'
import { Hub } from './hub/hub.ts'
import type { Log } from './log.ts'
import { createDialling } from './management/dialling.ts'
import { Management } from './management/management.ts'
import { PersonTurns } from './management/person-turns.ts'
import { Resolver } from './dns/resolver.ts'
import { Supervision } from './ownership/supervision.ts'
import type { SupervisionState } from './ownership/supervision.ts'

export interface ServerOptions {
  /** The file that `/widgets/mqtt-status.js` serves. */
  readonly widgetBundle: URL
  /** Stored with the lease of this node. */
  readonly version?: string
  /** Looks up the names of brokers. @default as this machine does */
  readonly resolver?: Resolver
  /** A page for `/`. @default a short page that describes the server */
  readonly portal?: Portal
}

/** The part of the time of a shutdown that the hand-over of connections may take. */
const HANDOVER_PART = 0.7

/** Counts of open resources; all are 0 after a stop. */
export interface Open {
  /** Open WebSockets and SSE streams. */
  readonly streams: number
  /** Addresses and tokens with at least one open stream. */
  readonly seats: number
  readonly subscribers: number
  /** Distinct watches and summaries. */
  readonly watches: number
  /** MQTT connections that this node keeps, whatever their status. */
  readonly connections: number
}

interface Joined {
  readonly lanes: Lanes
  readonly hub: Hub
  readonly feed: ChangeFeed
  readonly supervision: Supervision
  readonly triggers: TriggerWatch
}

export class StatusServer {
  readonly #config: Config
  readonly #log: Log
  readonly #options: ServerOptions
  readonly #resolver: Resolver
  readonly #turns = new PersonTurns()
  /** The started parts in order; `stop` stops them from the last to the first. */
  readonly #stops: { name: string; stop: () => Promise<void> | void }[] = []
  /** The start that is under way, or that has ended. */
  #starting: Promise<{ url: string }> | null = null
  #stopping: Promise<void> | null = null
  #hub: Hub | null = null
  #listening: Listening | null = null
  #supervision: Supervision | null = null

  constructor(config: Config, log: Log, options: ServerOptions) {
    this.#config = config
    this.#log = log
    this.#options = options
    this.#resolver = options.resolver ?? new Resolver()
  }

  /**
   * Migrates the database, reads it, listens, and only then begins to dial: a server that can't be reached should
   * not hold connections.
   *
   * @returns where it listens
   * @throws SetupError where the operator has to change something (port in use, database out of reach, …)
   * @throws Error when the server is stopped before it has started
   */
  async start(): Promise<{ url: string }> {
    this.#starting = this.#start()
    try {
      return await this.#starting
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Drains the clients, and closes the MQTT connections and the database. The caller may call it at any time, also while the server starts. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    await this.#stopping
  }

  /** `off`: by configuration. `paused`: the database is a copy that no operator has adopted. */
  get supervision(): SupervisionState {
    return this.#supervision?.state ?? 'starting'
  }

  /** The open resources at this moment. */
  get open(): Open {
    return {
      streams: this.#listening?.streams ?? 0,
      seats: this.#listening?.seats ?? 0,
      subscribers: this.#hub?.size ?? 0,
      watches: this.#hub?.watchCount ?? 0,
      connections: this.#supervision?.size ?? 0,
    }
  }

  async #start(): Promise<{ url: string }> {
    const { database, feed: feedConfig } = this.#config
    const log = this.#log
    const schema = await this.#migrate()
    const lanes = openLanes({
      address: database.address,
      schema,
      sessions: database.pool,
      deadlineMs: database.statementTimeoutMs,
    })
    // Stopped last, because all other parts use the lanes.
    this.#onStop('database', () => closeLanes(lanes))
    await this.#refuseLostSecrets(this.#secrets(lanes.queries), schema)

    const feed = new ChangeFeed({
      lane: lanes.feed,
      upkeep: lanes.upkeep,
      listenAddress: database.listenAddress,
      pollMs: feedConfig.pollMs,
      adopt: database.adopt,
      log: log.child({ room: 'db' }),
      onRead: (read) => {
        hub.publish(read)
        supervision.reconcile(read)
      },
      onCall: (called) => {
        supervision.receive(called)
      },
      onState: (state, since) => {
        hub.setFeedState(state, since)
      },
    })
    const hub = new Hub({
      read: () => feed.read(),
      tickMs: this.#config.hub.tickMs,
      log: log.child({ room: 'hub' }),
    })
    this.#hub = hub
    this.#onStop('hub', () => {
      hub.stop()
    })

    // Before the feed starts, so that it misses no row; `begin` comes after the server listens.
    const supervision = this.#supervise(lanes, feed)
    await feed.start()
    this.#onStop('feed', () => feed.stop())
    const triggers = this.#keepUp(lanes)

    const listening = await this.#listen({ lanes, hub, feed, supervision, triggers })
    this.#listening = listening
    this.#onStop('http', () => listening.drain(this.#config.drainMs))
    supervision.begin()
    // The hand-over runs at the same time as the drain of clients, because both take most of the time of a shutdown.
    this.#onStop('hand-over', () => {
      // The stop of the supervisor awaits the same promise, and reports its failure.
      supervision.stop(this.#handOverMs).catch(() => undefined)
    })
    return { url: listening.url }
  }

  /** Starts the jobs that run at intervals: pruning, the check of the triggers, and the mirroring of attached tables. */
  #keepUp(lanes: Lanes): TriggerWatch {
    const log = this.#log.child({ room: 'db' })
    const triggers = new TriggerWatch({ lane: lanes.upkeep, log })
    const upkeep = new Upkeep({
      lane: lanes.upkeep,
      nodeId: randomUUID(),
      retention: this.#config.retention,
      log,
    })
    triggers.start()
    this.#onStop('triggers', () => triggers.stop())
    upkeep.start()
    this.#onStop('upkeep', () => upkeep.stop())
    const mirroring = new Mirroring({
      lane: lanes.mirror,
      nodeId: randomUUID(),
      log: this.#log.child({ room: 'attach' }),
    })
    mirroring.start()
    this.#onStop('mirroring', () => mirroring.stop())
    return triggers
  }

  /** @returns where the tables are */
  async #migrate(): Promise<string> {
    const { address, schema } = this.#config.database
    const pool = connectSql(address, { max: 1, applicationName: 'mqtt-status' })
    try {
      const { sql } = await migrate(pool, this.#log, { schema })
      return sql.schemaName
    } finally {
      await pool.end({ timeout: 1 })
    }
  }

  #secrets(lane: Lane): Secrets {
    const { keys, keysFile, variable } = this.#config.secrets
    return new Secrets({
      read: (work) => lane.read(work),
      ring: new KeyRing(keys),
      references: { variable, keysFile },
    })
  }

  /** @throws SetupError if there are stored secrets and no key can decrypt any of them: every dial would fail */
  async #refuseLostSecrets(secrets: Secrets, schema: string): Promise<void> {
    const { keys } = this.#config.secrets
    if (!(await secrets.areLost())) return
    const why =
      keys.length === 0
        ? 'The database holds encrypted passwords of connections, but MQTT_SECRET_KEYS is not set.'
        : 'The database holds encrypted passwords of connections, and none of the keys in MQTT_SECRET_KEYS can read them.'
    if (this.#config.supervisor.enabled) {
      throw new SetupError(
        `${why}\n  Set it to the keys that they were encrypted with; the server never generates keys, because the loss of such a key would show only when all connections fail.\n` +
          `  If these keys are lost: "delete from ${schema}.connection_secrets where reference is null", and set the passwords again.`,
      )
    }
    this.#log.warn(why)
  }

  #supervise(lanes: Lanes, feed: ChangeFeed): Supervision {
    const { supervisor } = this.#config
    const supervision = new Supervision({
      lanes,
      version: this.#options.version ?? null,
      supervisor,
      secrets: this.#secrets(lanes.dials),
      resolver: this.#resolver,
      startOver: () => {
        feed.startOver()
      },
      log: this.#log.child({ room: 'mqtt' }),
    })
    this.#onStop('supervisor', () => supervision.stop(this.#handOverMs))
    return (this.#supervision = supervision)
  }

  /** Leaves the rest of the time for connections that no other node takes over, which the node closes. */
  get #handOverMs(): number {
    return this.#config.drainMs * HANDOVER_PART
  }

  #listen({ lanes, hub, feed, supervision, triggers }: Joined): Promise<Listening> {
    const { host, port, basePath, auth, allowedOrigins, heartbeatMs, limits } = this.#config
    return listen({
      host,
      port,
      basePath,
      hub,
      verify: withNotices(createVerify(auth), this.#log),
      callers: {
        open: auth.kind === 'open',
        allowedOrigins,
        onRefused: refusalNotices(this.#log),
      },
      heartbeatMs,
      limits,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      command: (request) => command(lanes.commands, request),
      management: new Management({
        queries: lanes.queries,
        commands: lanes.commands,
        secrets: this.#secrets(lanes.queries),
        dialling: createDialling({
          allow: this.#config.supervisor.allow,
          resolver: this.#resolver,
          turns: this.#turns,
        }),
      }),
      check: (id, site) => this.#turns.run('check', site, () => supervision.check(id)),
      ready: () => [
        ...(feed.state === 'stale' ? ['the database can not be read'] : []),
        ...(feed.readOnly ? ['the database is read-only (a standby?)'] : []),
        ...(feed.listening ? [] : ['not listening for changes']),
      ],
      warnings: () => triggers.faults,
      widgets: { file: this.#options.widgetBundle },
      ...(this.#options.portal === undefined ? {} : { portal: this.#options.portal }),
      log: this.#log.child({ room: 'http' }),
    })
  }

  /** @throws Error when the server is being stopped: the start goes no further, and `#stopAll` stops this as well */
  #onStop(name: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ name, stop })
    if (this.#stopping !== null) throw new Error('The server was stopped before it had started')
  }

  async #stopAll(): Promise<void> {
    await this.#stopStarted()
    // A start that is under way throws after its next part, and this function stops that part.
    await this.#starting?.catch(() => undefined)
    await this.#stopStarted()
  }

  async #stopStarted(): Promise<void> {
    for (const { name, stop } of this.#stops.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        this.#log.error({ err: error, room: name }, 'could not be stopped cleanly')
      }
    }
  }
}

/** Creates a server that keeps and delivers the connections of one database. It does nothing before `start`. */
export function createServer(config: Config, log: Log, options: ServerOptions): StatusServer {
  return new StatusServer(config, log, options)
}
