import type { Sql } from './sql.ts'

/** Any number will do, as long as all nodes agree on it. */
const NUMBERS = { migrate: 7_411_001, epoch: 7_411_002 } as const

/** The schema that nodes of former versions use; they know the numbers alone. */
const FORMER_SCHEMA = 'public'

/**
 * Waits until no other node of this installation does the same, and holds the others off until the transaction ends.
 * Advisory locks are of the whole database, so the schema is part of the key; and they are of the transaction, because
 * behind a pooler a session is not ours.
 */
export async function lock(tx: Sql, purpose: keyof typeof NUMBERS): Promise<void> {
  const number = NUMBERS[purpose]
  if (tx.schemaName === FORMER_SCHEMA) await tx`select pg_advisory_xact_lock(${number})`
  else await tx`select pg_advisory_xact_lock(${number}, hashtext(${tx.schemaName}))`
}
