import type { Socket } from 'node:net'
import { fullJitter } from '@mqtt-status/protocol'
import postgres from 'postgres'
import { parseAddress } from '../../config/connection-string/address.ts'
import type { PostgresAddress } from '../../config/connection-string/address.ts'
import { sessionName, toOptions } from './options.ts'

/** Sessions of one database, before it is known in which schema the tables are. */
export type Pool = postgres.Sql<{ bigint: number }> & {
  /** From where one more session can be opened. */
  readonly origin: Origin
}

interface Origin {
  readonly address: PostgresAddress
  readonly applicationName: string
}

/**
 * A connection pool, or one transaction of it. `int8` columns are numbers; `xid8` is read as text.
 *
 * Every statement names the schema of the tables, as in `from ${sql.schema}.connections`. The `search_path` of a session
 * is never relied on: it belongs to the role, and behind a pooler the next statement may run in another session.
 */
export type Sql = Pool & {
  /** The schema of the tables as a fragment, quoted. */
  readonly schema: postgres.Fragment
  /** The same as it is named in the catalogue, not quoted. */
  readonly schemaName: string
}

/** Where the tables of a new database are, unless DATABASE_SCHEMA says otherwise. */
export const DEFAULT_SCHEMA = 'mqtt_status'

export interface SqlOptions {
  /** Connections at most. */
  readonly max: number
  /** How the sessions are named in `pg_stat_activity`. */
  readonly applicationName: string
  /** Called with what was notified, if the session listens. */
  readonly onnotify?: (channel: string, payload: string) => void
  /** Called when a session has ended. */
  readonly onclose?: () => void
  /** Opens the sockets of the sessions instead of postgres.js. */
  readonly openSocket?: (target: SocketTarget) => Socket
}

/** Where postgres.js would connect to: to its hosts in turn, or to a socket of the file system. */
export interface SocketTarget {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path: string | false
}

/** The default of postgres.js waits up to 20 s after an outage, and so does every caller. */
const BACKOFF = { baseMs: 50, capMs: 1_000 }

/**
 * Nothing is dialled before the first statement. The only parameter of a session is its name: a pooler refuses others, or
 * passes them on to sessions of other clients.
 *
 * @param to where to connect to; a text is a connection string
 */
export function connectSql(to: PostgresAddress | string, options: SqlOptions): Pool {
  const address = typeof to === 'string' ? parseAddress(to) : to
  const { applicationName } = options
  const pool = postgres({
    ...toOptions(address),
    max: options.max,
    // The default drops a session after 30–60 min, and with it, silently, its LISTEN.
    max_lifetime: null,
    backoff: (failures) => fullJitter(failures, BACKOFF, Math.random()) / 1_000,
    // postgres.js does not await its statement that fetches the array types: where that fails, because the server goes away
    // at that moment, the process ends (porsager/postgres#1192). Hence no arrays as parameters, and no `reserve` (#1219).
    fetch_types: false,
    // Notices are for people at a prompt.
    onnotice: () => undefined,
    ...(options.onnotify === undefined ? {} : { onnotify: options.onnotify }),
    ...(options.onclose === undefined ? {} : { onclose: options.onclose }),
    // Not declared by its types.
    ...(options.openSocket === undefined ? {} : { socket: options.openSocket }),
    connection: { application_name: sessionName(address, applicationName) },
    types: {
      // Revisions and generations stay far below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
    },
  })
  return Object.assign(pool, { origin: { address, applicationName } })
}

/** The pool, together with the schema that its statements name. */
export function inSchema(pool: Pool, name: string): Sql {
  return Object.assign(pool, { schema: pool.unsafe(quoted(name)), schemaName: name })
}

/** The name of a table or a sequence as text, for functions that take a `regclass`. */
export function qualified({ schemaName }: Sql, name: string): string {
  return `${quoted(schemaName)}.${quoted(name)}`
}

/** An identifier that is taken literally, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
