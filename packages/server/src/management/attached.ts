/** Edits of connections that mirror rows of attached tables: the next comparison would undo them. */
import { findSources } from '../db/attachments/store.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { StatusError } from '../errors.ts'
import type { Settings } from '../model/connection/settings.ts'

/** Whether an edit changes the wish of a connection that takes commands, and nothing else; it is written back like a command. */
export function isWish(before: Settings, after: Settings, fields: readonly string[]): boolean {
  return (
    before.desired !== null &&
    after.desired !== null &&
    fields.every((field) => field === 'desired')
  )
}

/** @throws StatusError `not_controllable` if the connection mirrors a row */
export async function refuseAttached(tx: Sql, id: string): Promise<void> {
  const table = (await findSources(tx, [id])).get(id)
  if (table !== undefined) throw new StatusError('not_controllable', `${mirrors(table)}.`)
}

/** What to do instead of the edit. */
export function mirrors(table: string): string {
  return `The connection mirrors a row of the table ${table}: change or delete it there, or run "mqtt-status detach"`
}
