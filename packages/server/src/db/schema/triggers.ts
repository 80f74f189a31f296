/**
 * Whether the triggers that show every change are there and fire for every writer. A disabled trigger leaves no trace in
 * the rows, so its state is compared from time to time; what was written meanwhile is shown once they are mended.
 */
import type { Log } from '../../log.ts'
import { explain } from '../postgres/explain.ts'
import { qualified } from '../postgres/sql.ts'
import type { Sql } from '../postgres/sql.ts'
import { transaction } from '../postgres/transaction.ts'

/** All triggers of this product, by table; each has to be ENABLE ALWAYS (see migration 0011). */
const TRIGGERS = {
  connections: [
    'connections_1_attachment',
    'connections_1_dial',
    'connections_1_fence_insert',
    'connections_1_fence_update',
    'connections_1_managed',
    'connections_2_stamp_insert',
    'connections_2_stamp_update',
    'connections_arrived',
    'connections_cascade_delete',
    'connections_cascade_update',
    'connections_deleted',
    'connections_event',
    'connections_first_event',
    'connections_moved',
    'connections_poke_delete',
    'connections_poke_insert',
    'connections_poke_update',
    'connections_refuse_truncate',
  ],
  connection_secrets: ['connection_secrets_changed', 'connection_secrets_replaced'],
} as const

export interface TriggerFaults {
  /** Where the tables are. */
  readonly schema: string
  /** Those that do not fire for every writer, and can be enabled again. */
  readonly weak: readonly { readonly table: string; readonly name: string }[]
  readonly missing: readonly string[]
  /** Whether a superuser has disabled the triggers of foreign keys. */
  readonly unlinked: boolean
  /** Tables that inherit from `connections`: the server reads their rows, but they lack its triggers. */
  readonly heirs: readonly string[]
}

/** Compares the triggers with what they have to be; takes a fraction of a millisecond. */
export async function findTriggerFaults(sql: Sql): Promise<TriggerFaults> {
  const connections = qualified(sql, 'connections')
  const secrets = qualified(sql, 'connection_secrets')
  const found = await sql<{ table: string; name: string; mode: string; internal: boolean }[]>`
    select c.relname as table, t.tgname as name, t.tgenabled as mode, t.tgisinternal as internal
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    where t.tgrelid in (${connections}::text::regclass, ${secrets}::text::regclass)`
  const heirs = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name
    from pg_inherits
    where inhparent = ${connections}::text::regclass
    order by 1`
  const modes = new Map(found.map(({ table, name, mode }) => [`${table}.${name}`, mode]))
  const expected = Object.entries(TRIGGERS).flatMap(([table, names]) =>
    names.map((name) => ({ table, name, mode: modes.get(`${table}.${name}`) })),
  )
  return {
    schema: sql.schemaName,
    weak: expected.filter(({ mode }) => mode !== undefined && mode !== 'A'),
    missing: expected.filter(({ mode }) => mode === undefined).map(({ name }) => name),
    unlinked: found.some(({ internal, mode }) => internal && mode === 'D'),
    heirs: heirs.map(({ name }) => name),
  }
}

/** The faults as sentences for an operator; empty where there are none. */
export function describeFaults(faults: TriggerFaults): readonly string[] {
  return listFaults(faults).map(({ found }) => found)
}

/** Each fault, and what to do about it. */
export function listFaults({
  schema,
  weak,
  missing,
  unlinked,
  heirs,
}: TriggerFaults): readonly { readonly found: string; readonly cure: string }[] {
  const faults = [
    {
      there: weak.length > 0,
      found: `triggers do not fire for every writer: ${weak.map(({ name }) => name).join(', ')}`,
      cure: 'Changes are not shown without them. Run "mqtt-status migrate": it enables them, and all rows are read anew.',
    },
    {
      there: missing.length > 0,
      found: `triggers are missing: ${missing.join(', ')}`,
      cure: 'Create the missing triggers again as the files in "migrations" do, or restore a backup.',
    },
    {
      there: unlinked,
      found: 'the triggers of foreign keys are disabled',
      cure:
        `Secrets and events would outlive their connection. As a superuser run "alter table ${schema}.connections enable trigger all"\n` +
        `and "alter table ${schema}.connection_secrets enable trigger all", then "mqtt-status migrate".`,
    },
    {
      there: heirs.length > 0,
      found: `tables inherit from connections: ${heirs.join(', ')}`,
      cure: 'Their rows are read as connections, but changes of them are not shown: move the rows into "connections".',
    },
  ]
  return faults.filter(({ there }) => there)
}

/** Writers are held up this long at most. */
const LOCK_TIMEOUT = '5s'

/**
 * Enables triggers that are disabled, for example after `pg_restore --data-only --disable-triggers`. Nodes then read all
 * rows again: every row gets a new stamp, and older cursors get a snapshot, because rows may have been deleted without a
 * tombstone.
 */
export async function mendTriggers(sql: Sql, log: Log): Promise<void> {
  const { weak } = await findTriggerFaults(sql)
  if (weak.length === 0) return
  const triggers = weak.map(({ name }) => name)
  try {
    await transaction(sql, async (tx) => {
      await tx`set local statement_timeout = 0`
      await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
      for (const { table, name } of weak)
        await tx`alter table ${tx.schema}.${tx(table)} enable always trigger ${tx(name)}`
      // The stamp is the trigger's.
      await tx`update ${tx.schema}.connections set revision = 0`
      await tx`
        update ${tx.schema}.meta
        set tombstone_floor = (pg_current_xact_id()::text::numeric + 1)::text::xid8`
    })
    log.warn({ triggers }, 'triggers were disabled; they are enabled, and all rows are read anew')
  } catch (error) {
    log.error(
      { err: explain(error), triggers },
      'triggers are disabled and could not be enabled: run "mqtt-status migrate" as the owner of the table',
    )
  }
}
