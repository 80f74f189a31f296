/** What the demo needs of the server itself; a file of its own, because loading it takes a while. */
import type { Config } from '../config/config.ts'
import { migrate } from '../db/schema/migrate.ts'
import { connectSql } from '../db/postgres/sql.ts'
import { startBroker } from '../embedded/broker.ts'
import type { DemoBroker } from '../embedded/broker.ts'
import { deleteFleet, fleetPort, seedFleet } from '../embedded/fleet-rows.ts'
import { admit, simulateFleet } from '../embedded/fleet.ts'
import { PORTAL } from '../embedded/portal.ts'
import { SetupError } from '../errors.ts'
import { createLog } from '../log.ts'
import type { Log } from '../log.ts'
import { createServer } from '../server.ts'
import { runServer, widgetBundle } from './running.ts'
import type { Steps } from './steps.ts'

/** A Postgres to play on. */
export interface Database {
  readonly url: string
  /** Lines for the summary: what is where. */
  readonly facts: readonly (readonly [string, string])[]
  /** Whether it was emptied already, if that was asked for. */
  readonly isFresh: boolean
  /** Resolves with its last words if it ends by itself. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface Play {
  readonly config: Config
  readonly version: string
  readonly database: Database
  /** Write the rows of the fleet anew. */
  readonly fresh: boolean
  readonly signal: AbortSignal
  readonly steps: Steps
  readonly onListening: (url: string, schema: string) => void
}

/** Plays until the signal; what it returns from has let go of everything but the database. */
export async function play(options: Play): Promise<void> {
  const { database, steps } = options
  const log = createLog(options.config.log)
  const { broker, schema } = await steps.run('Broker and fleet are ready', () =>
    prepareFleet(options, log),
  )
  const stopFleet = simulateFleet(broker)
  try {
    await Promise.race([perform(options, { broker, schema }, log), failWhenEnded(database)])
  } finally {
    stopFleet()
    await broker.stop()
  }
}

interface Fleet {
  readonly broker: DemoBroker
  /** Where the tables are. */
  readonly schema: string
}

/** Migrates, starts a broker where the rows of the last run expect it, and writes what rows are missing. */
async function prepareFleet({ config, fresh }: Play, log: Log): Promise<Fleet> {
  const pool = connectSql(config.database.address, {
    max: 1,
    applicationName: 'mqtt-status-demo',
  })
  try {
    const { sql } = await migrate(pool, log, config.database)
    if (fresh) await deleteFleet(sql)
    const broker = await startBroker({ port: await fleetPort(sql), admit })
    await seedFleet(sql, broker.port)
    return { broker, schema: sql.schemaName }
  } finally {
    await pool.end({ timeout: 5 })
  }
}

async function perform(
  { config, version, signal, steps, onListening }: Play,
  { broker, schema }: Fleet,
  log: Log,
): Promise<void> {
  const server = createServer(withBroker(config, broker.port), log, {
    widgetBundle: widgetBundle(),
    version,
    portal: { files: PORTAL },
  })
  // Two ends of one run: that it can be reached, and that it is over.
  let running = Promise.resolve()
  const url = await steps.run(
    'Server is listening',
    () =>
      new Promise<string | null>((resolve, reject) => {
        running = runServer(server, { signal, drainMs: config.drainMs, onListening: resolve })
        running.then(() => {
          resolve(null)
        }, reject)
      }),
  )
  if (url !== null) onListening(url, schema)
  await running
}

/** The dial guard refuses loopback and odd ports; this broker is meant. */
function withBroker(config: Config, port: number): Config {
  const { allow } = config.supervisor
  return {
    ...config,
    supervisor: {
      ...config.supervisor,
      allow: {
        ...allow,
        cidrs: [...allow.cidrs, '127.0.0.1/32'],
        ports: [...allow.ports, port],
      },
    },
  }
}

async function failWhenEnded({ ended }: Database): Promise<never> {
  const said = (await ended).split('\n').slice(-3).join('\n  ')
  throw new SetupError(`Postgres has ended by itself. Its last words:\n  ${said}`)
}
