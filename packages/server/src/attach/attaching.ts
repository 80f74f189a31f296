/** Attaches and detaches: the transactions that change something, with the locks that they need. */
import { setTimeout as delay } from 'node:timers/promises'
import { findBlockers, install, uninstall } from '../db/attachments/install.ts'
import type { InstallPlan } from '../db/attachments/install.ts'
import type { Sql } from '../db/postgres/sql.ts'
import { transaction } from '../db/postgres/transaction.ts'
import { SetupError } from '../errors.ts'
import { nameOf } from '../model/attachment.ts'
import type { Attachment, TableName } from '../model/attachment.ts'
import { describeError } from './fault.ts'

export interface LockPatience {
  /** How often the lock of a table is asked for. */
  readonly tries: number
  /** The pause in between, in which writers go on, in ms. */
  readonly pauseMs: number
}

const PATIENCE: LockPatience = { tries: 20, pauseMs: 1_000 }

/**
 * Creates or changes the attachment.
 *
 * @returns its id
 * @throws SetupError where the lock of a table can not be had, with the sessions that hold it
 */
export function attach(
  sql: Sql,
  plan: InstallPlan,
  patience: LockPatience = PATIENCE,
): Promise<number> {
  const tables = plan.tables.map(({ table }) => table)
  return withLocks(sql, { tables, patience }, (tx) => install(tx, plan))
}

/**
 * Removes the attachment.
 *
 * @returns how many connections were deleted
 * @throws SetupError as {@link attach}
 */
export function detach(
  sql: Sql,
  attachment: Attachment,
  patience: LockPatience = PATIENCE,
): Promise<number> {
  const { table, joins } = attachment.options
  return withLocks(sql, { tables: [table, ...joins], patience }, (tx) => uninstall(tx, attachment))
}

/** Waits for locks in short portions, because writers of the table wait behind this one. */
async function withLocks<T>(
  sql: Sql,
  { tables, patience }: { tables: readonly TableName[]; patience: LockPatience },
  work: (tx: Sql) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(sql, work)
    } catch (error) {
      if (!['55P03', '40P01'].includes(describeError(error).code)) throw error
      if (attempt >= patience.tries) throw await blocked(sql, tables, error)
      await delay(patience.pauseMs)
    }
  }
}

async function blocked(
  sql: Sql,
  tables: readonly TableName[],
  cause: unknown,
): Promise<SetupError> {
  const blockers = (await Promise.all(tables.map((table) => findBlockers(sql, table)))).flat()
  const lines = blockers.map(
    ({ pid, application, user, state, since }) =>
      `  session ${pid} of "${user}" (${application === '' ? 'no name' : application}), ${state}, its transaction began ${since} ago`,
  )
  return new SetupError(
    [
      `${tables.map(nameOf).join(', ')}: the lock for the trigger could not be had, because another session holds the table. Nothing was changed.`,
      ...lines,
      '  Run the command again when that transaction has ended, or end it with: select pg_terminate_backend(pid);',
    ].join('\n'),
    { cause },
  )
}
