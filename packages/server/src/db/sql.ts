import { fullJitter } from '@mqtt-status/protocol'
import postgres from 'postgres'

/** A connection pool, or one transaction of it. `int8` columns are numbers; `xid8` is read as text. */
export type Sql = postgres.Sql<{ bigint: number }>

export interface SqlOptions {
  /** Connections at most. */
  readonly max: number
  /** The server ends any statement that takes longer; 0 = no limit. */
  readonly statementTimeoutMs: number
  /** How the sessions are named in `pg_stat_activity`. */
  readonly applicationName: string
  /** Called with what was notified, if the session listens. */
  readonly onnotify?: (channel: string, payload: string) => void
  /** Called when a session has ended. */
  readonly onclose?: () => void
}

const CONNECT_TIMEOUT_S = 10
/** The default waits up to 20 s after an outage, and whoever asks waits with it. */
const BACKOFF = { baseMs: 50, capMs: 1_000 }

/** Nothing is dialled before the first statement. */
export function connectSql(url: string, options: SqlOptions): Sql {
  return postgres(url, {
    max: options.max,
    // The default drops a session after 30–60 min, and with it, silently, its LISTEN.
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_S,
    backoff: (failures) => fullJitter(failures, BACKOFF, Math.random()) / 1_000,
    // The statement that fetches the array types is awaited by nobody: where it fails, because the server goes away at that
    // very moment, the process ends (porsager/postgres#1192). Hence no arrays as parameters, and no `reserve` (#1219).
    fetch_types: false,
    // Notices are for people at a prompt.
    onnotice: () => undefined,
    ...(options.onnotify === undefined ? {} : { onnotify: options.onnotify }),
    ...(options.onclose === undefined ? {} : { onclose: options.onclose }),
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs,
    },
    types: {
      // Revisions and generations stay far below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
    },
  })
}
