/**
 * The fence of a row rises with every change of its owner, and a write with an older fence changes nothing. Its column has
 * the name `epoch`, because nodes of earlier versions read and write that name during a rolling update; everywhere else an
 * epoch is a history of the database (`meta.epoch`).
 */
import type { Sql } from '../postgres/sql.ts'

/** A fragment over `connections c`. */
export function fence(sql: Sql): ReturnType<Sql> {
  return sql`c.epoch`
}

/** An assignment in an update of `connections c`. */
export function raiseFence(sql: Sql): ReturnType<Sql> {
  return sql`epoch = c.epoch + 1`
}
