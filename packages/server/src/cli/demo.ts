/**
 * Runs a demonstration: an embedded Postgres and broker, a simulated fleet, the server as in production, and a portal page.
 * Postgres starts while the modules of the server load; the database stops last.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { relative } from 'node:path'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/config.ts'
import { explainMissingBroker } from '../embedded/demo-packages.ts'
import { describeFolder, reachableFolder } from '../embedded/postgres-folder.ts'
import { postgresUser } from '../embedded/postgres-user.ts'
import { startPostgres } from '../embedded/postgres.ts'
import { SetupError } from '../errors.ts'
import { openInBrowser } from './browser.ts'
import type { Database } from './demo-stage.ts'
import type { Edge } from './edge.ts'
import { Steps } from './steps.ts'

export interface DemoOptions {
  readonly fresh: boolean
  readonly port?: string
  readonly folder?: string
  readonly open: boolean
}

/** Relative to the working directory, so that each checkout has data of its own. */
const FOLDER = '.demo'

/** A placeholder, so that the demo can check the other settings before its database runs. */
const NO_DATABASE = 'postgres://none'

/** Runs the demo until the signal. */
export async function demo(edge: Edge, options: DemoOptions): Promise<void> {
  const signal = edge.signal()
  try {
    await run(edge, options, signal)
  } catch (error) {
    // A step that the signal has interrupted may fail.
    if (!signal.aborted) throw error
  }
}

async function run(edge: Edge, options: DemoOptions, signal: AbortSignal): Promise<void> {
  const config = configure(edge, options)
  await refuseUsedPort(config)
  const steps = new Steps((line) => {
    edge.print(line)
  })
  // The modules of the server load while Postgres starts.
  const loading = import('./demo-stage.ts').catch((error: unknown) => {
    throw explainMissingBroker(error)
  })
  loading.catch(() => undefined)
  const database = await startDatabase(edge, options, steps)
  signal.addEventListener('abort', () => {
    edge.print('\nStopping…')
  })
  try {
    const { play } = await loading
    await play({
      config: configure(edge, options, database.url),
      version: edge.version,
      database,
      fresh: options.fresh && !database.isFresh,
      signal,
      steps,
      onListening(url, schema) {
        summarise(edge, [
          ['Portal', `${url}/`],
          ['Catalogue', `${url}/catalogue`],
          ...database.facts,
          ['Table', `${schema}.connections`],
        ])
        if (options.open && edge.terminal) openInBrowser(`${url}/`, edge.environment)
      },
    })
  } finally {
    await database.stop()
  }
  edge.print('Everything is stopped.')
}

/**
 * The settings of the server, with the defaults of the demo.
 *
 * @param databaseUrl used where the environment names no database
 */
function configure(edge: Edge, options: DemoOptions, databaseUrl = NO_DATABASE): Config {
  const environment = Object.fromEntries(
    // The page of the demo has no token. The server refuses open access except on loopback.
    Object.entries(edge.environment).filter(([name]) => !name.startsWith('AUTH_')),
  )
  return readConfig(
    { DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', ...filled(environment) },
    { BASE_PATH: '/', ...(options.port === undefined ? {} : { PORT: options.port }) },
    edge.terminal,
  ).config
}

/** An empty variable counts as not set. */
function filled(environment: Edge['environment']): Edge['environment'] {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
}

/** Checks the port first, so that the error comes before Postgres has started. */
async function refuseUsedPort({ host, port }: Config): Promise<void> {
  const probe = createServer()
  try {
    probe.listen(port, host)
    await once(probe, 'listening')
  } catch (cause) {
    // The server reports every other error with its cure.
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) return
    throw new SetupError(
      `Port ${port} on ${host} is in use by another program, or by another demo.\n` +
        '  Stop that one, or choose another port: PORT=8002, or --port 8002.',
      { cause },
    )
  } finally {
    probe.close()
  }
}

async function startDatabase(
  edge: Edge,
  { fresh, folder: wanted }: DemoOptions,
  steps: Steps,
): Promise<Database> {
  const given = filled(edge.environment)['DATABASE_URL']
  if (given !== undefined) {
    edge.print(
      'DATABASE_URL is set: the demo writes its rows into that database, and its server keeps the connections listed there.\n' +
        '  Unset DATABASE_URL, and the demo starts a Postgres of its own.',
    )
    return {
      url: given,
      facts: [['Data', 'in the database of DATABASE_URL; --fresh writes the demo rows anew']],
      isFresh: false,
      ended: new Promise(() => undefined),
      stop: () => Promise.resolve(),
    }
  }
  const path = wanted ?? (await reachableFolder(FOLDER, await postgresUser()))
  const folder = describeFolder(path)
  const postgres = await steps.run('Postgres is running', () =>
    startPostgres({
      folder: path,
      fresh,
      log(message) {
        edge.print(`  ${message}`)
      },
    }),
  )
  return {
    ...postgres,
    facts: [
      ['Data', `${folder.path}, kept for the next run; --fresh starts anew`],
      ['Database', `psql "$(cat ${shorter(folder.url)})"`],
    ],
    isFresh: fresh,
    stop: () => postgres.stop(),
  }
}

function shorter(path: string): string {
  const fromHere = relative('.', path)
  return fromHere.startsWith('..') ? path : fromHere
}

function summarise(edge: Edge, facts: readonly (readonly [string, string])[]): void {
  const seconds = (performance.now() / 1_000).toFixed(1)
  edge.print('')
  for (const [name, value] of facts) edge.print(`  ${name.padEnd(10)}${value}`)
  edge.print(`\nReady after ${seconds} s. Ctrl-C stops everything.`)
}
