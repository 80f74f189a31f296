import type { Sql } from '../postgres/sql.ts'

/**
 * The payload of a notification from one node to all nodes, itself included. `claim`: a row may be free, or a node is
 * new. `question`, `answer`: see checks.ts. Nodes also read at intervals, so a lost notification only costs time.
 */
export type Call = 'claim' | 'question' | 'answer'

/** Notifies all nodes that listen. */
export async function call(sql: Sql, what: Call): Promise<void> {
  await sql`select pg_notify(calls_channel, ${what}) from ${sql.schema}.meta`
}
