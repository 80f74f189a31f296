import type { Sql } from './sql.ts'

/** Keys of advisory locks, the same on all nodes. */
const NUMBERS = { migrate: 7_411_001, epoch: 7_411_002 } as const

/** The schema of former versions, whose nodes lock the number without a schema. */
const FORMER_SCHEMA = 'public'

/**
 * Takes an advisory lock until the transaction ends, so that one node of this installation at a time does this work. Advisory locks
 * apply to the whole database, so the schema is part of the key. The lock belongs to the transaction, because behind a pooler the
 * next transaction may use another session.
 */
export async function lock(tx: Sql, purpose: keyof typeof NUMBERS): Promise<void> {
  const number = NUMBERS[purpose]
  if (tx.schemaName === FORMER_SCHEMA) await tx`select pg_advisory_xact_lock(${number})`
  else await tx`select pg_advisory_xact_lock(${number}, hashtext(${tx.schemaName}))`
}
