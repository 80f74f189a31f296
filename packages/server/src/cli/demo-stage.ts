/** Runs the server, the broker and the fleet of the demo; a separate module, so that it loads while Postgres starts. */
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

/** The Postgres of the demo. */
export interface Database {
  readonly url: string
  /** Names and values for the summary. */
  readonly facts: readonly (readonly [string, string])[]
  /** Whether the data of former runs was deleted. */
  readonly isFresh: boolean
  /** Resolves with the last lines of its log if Postgres ends by itself. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface Play {
  readonly config: Config
  readonly version: string
  readonly database: Database
  /** Delete the rows of the fleet, and insert them again. */
  readonly fresh: boolean
  readonly signal: AbortSignal
  readonly steps: Steps
  readonly onListening: (url: string, schema: string) => void
}

/** Runs until the signal; when it returns, only the database still runs. */
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
  /** The schema of the tables. */
  readonly schema: string
}

/** Migrates, starts a broker on the port that the rows of the last run name, and inserts missing rows. */
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
  // The step ends when the server listens; `running` ends when the server has stopped.
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

/** The dial guard refuses loopback and unusual ports; this rule admits the broker of the demo. */
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
