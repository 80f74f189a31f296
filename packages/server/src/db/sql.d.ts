import postgres from 'postgres'
/** A connection pool, or one transaction of it. `int8` columns are numbers; `xid8` is read as text. */
export type Sql = postgres.Sql<{
  bigint: number
}>
export interface SqlOptions {
  /** Connections at most. */
  readonly max: number
  /** The server ends any statement that takes longer; 0 = no limit. */
  readonly statementTimeoutMs: number
  /** How the sessions are named in `pg_stat_activity`. */
  readonly applicationName: string
  /** Called with what was notified, if the session listens. */
  readonly onnotify?: (channel: string) => void
  /** Called when a session has ended. */
  readonly onclose?: () => void
}
/** Nothing is dialled before the first statement. */
export declare function connectSql(url: string, options: SqlOptions): Sql
