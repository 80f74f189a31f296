/** A writer as rude as people and systems are: its transactions fail, sleep, roll back, move, delete and re-create rows. */
import { pick } from '@mqtt-status/testing/random'
import { inSchema } from '../../src/db/postgres/sql.ts'
import type { Pool, Sql } from '../../src/db/postgres/sql.ts'

export const IDS: readonly string[] = Array.from({ length: 40 }, (_, i) => `c${i}`)
export const SITES: readonly string[] = ['s0', 's1', 's2']
const STATUSES = ['disconnected', 'connecting', 'connected', 'reconnecting', 'failed']

export interface WriterOptions {
  readonly sql: Sql
  readonly random: () => number
  readonly transactions: number
  /** Bytes that each row carries in its labels, so that slow readers really are slow. @default 0 */
  readonly ballast?: number
}

/** Resolves when all its transactions are over. */
export async function write(options: WriterOptions): Promise<void> {
  for (let i = 0; i < options.transactions; i++) {
    try {
      await transact(options)
    } catch (error) {
      // Writers of the test may deadlock; the test ignores that.
      const { code, message } = error as { code?: string; message: string }
      if (code !== '40P01' && message !== ON_PURPOSE) throw error
    }
  }
}

const ON_PURPOSE = 'rolled back on purpose'

async function transact(options: WriterOptions): Promise<void> {
  const { sql, random } = options
  const steps = 1 + Math.floor(random() * 3)
  const rollBack = random() < 0.15
  await sql.begin(async (session) => {
    const tx = inSchema(session as unknown as Pool, sql.schemaName)
    for (let step = 0; step < steps; step++) {
      const savepoint = random() < 0.2
      if (savepoint) await tx`savepoint s`
      await change(tx, options)
      if (savepoint && random() < 0.5) await tx`rollback to savepoint s`
      if (random() < 0.3) await tx`select pg_sleep(${random() * 0.02})`
    }
    if (rollBack) throw new Error(ON_PURPOSE)
  })
}

async function change(tx: Sql, { random, ballast = 0 }: WriterOptions): Promise<void> {
  const id = pick(random, IDS)
  const kind = random()
  if (kind < 0.3) {
    await tx`
      insert into ${tx.schema}.connections (id, site_id, name, labels)
      values (${id}, ${pick(random, SITES)}, ${id}, ${tx.json({ ballast: 'x'.repeat(ballast) })})
      on conflict (id) do nothing`
  } else if (kind < 0.65) {
    await tx`update ${tx.schema}.connections set status = ${pick(random, STATUSES)} where id = ${id}`
  } else if (kind < 0.8) {
    await tx`update ${tx.schema}.connections set site_id = ${pick(random, SITES)} where id = ${id}`
  } else {
    await tx`delete from ${tx.schema}.connections where id = ${id}`
  }
}
