/** The checks of `doctor` in their order, and those of the database server and of the connection to it. */
import { randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { PostgresAddress } from '../config/connection-string/address.ts'
import { within } from '../model/deadline.ts'
import { findPlace } from '../db/schema/installation.ts'
import { connectSql, inSchema } from '../db/postgres/sql.ts'
import type { Pool, Sql } from '../db/postgres/sql.ts'
import { attachments } from './doctor-attachments.ts'
import { grants } from './doctor-grants.ts'
import { epoch, rights, schema } from './doctor-schema.ts'
import { secrets } from './doctor-secrets.ts'
import { toAnswer } from './finding.ts'
import type { Answer, Finding } from './finding.ts'

/** A check with `mustPass` ends the examination unless it passes, because all later checks would fail too. */
interface Check {
  readonly check: string
  readonly look: () => Promise<Answer>
  readonly mustPass?: boolean
}

const ANSWER_MS = 5_000
/** A statement that waits for a lock has no deadline of its own. */
const CHECK_MS = 15_000
/** The adoption writes every row. */
const ADOPT_MS = 600_000
const CLOCK_MS = 2_000
const OLDEST_VERSION = 130_000
const APPLICATION = 'mqtt-status-doctor'

/** Runs the checks, from the connection to the contents of the database. */
export async function* examine(
  { database, secrets: { keys } }: Pick<Config, 'database' | 'secrets'>,
  adopt: boolean,
): AsyncGenerator<Finding, void, undefined> {
  const pool = connectSql(database.address, {
    max: 2,
    applicationName: APPLICATION,
  })
  // The check "database" has to pass before this can succeed.
  const findTables = async (): Promise<Sql> =>
    inSchema(pool, (await findPlace(pool, database.schema)).schema)
  const checks: readonly Check[] = [
    { check: 'database', look: () => reachable(pool), mustPass: true },
    { check: 'version', look: () => version(pool), mustPass: true },
    { check: 'clock', look: () => clock(pool) },
    { check: 'writable', look: () => writable(pool) },
    { check: 'listen', look: () => listens(pool, database.listenAddress) },
    { check: 'schema', look: () => schema(pool, database.schema), mustPass: true },
    { check: 'rights', look: async () => rights(await findTables()) },
    { check: 'grants', look: async () => grants(await findTables()) },
    { check: 'secrets', look: async () => secrets(await findTables(), keys) },
    { check: 'attachments', look: async () => attachments(await findTables()) },
    { check: 'epoch', look: async () => epoch(await findTables(), adopt) },
  ]
  try {
    for (const { check, look, mustPass = false } of checks) {
      const answer = await within(adopt ? ADOPT_MS : CHECK_MS, look()).catch(toAnswer)
      yield { check, ...answer }
      if (mustPass && answer.state !== 'ok') return
    }
  } finally {
    await pool.end({ timeout: 1 })
  }
}

async function reachable(pool: Pool): Promise<Answer> {
  const [found] = await pool<{ name: string; role: string }[]>`
    select current_database() as name, current_user as role`
  return { state: 'ok', found: `"${found?.name ?? ''}" is reached as "${found?.role ?? ''}"` }
}

async function version(pool: Pool): Promise<Answer> {
  const [found] = await pool<{ number: number; name: string }[]>`
    select current_setting('server_version_num')::integer as number,
      current_setting('server_version') as name`
  const name = `Postgres ${found?.name ?? ''}`
  if ((found?.number ?? 0) >= OLDEST_VERSION) return { state: 'ok', found: name }
  return { state: 'broken', found: name, cure: 'Postgres 13 or newer is needed: upgrade it.' }
}

async function clock(pool: Pool): Promise<Answer> {
  const before = Date.now()
  const [found] = await pool<{ ms: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::double precision as ms`
  const aheadMs = Math.round((found?.ms ?? 0) - (before + Date.now()) / 2)
  const said = `the database is ${Math.abs(aheadMs)} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine`
  if (Math.abs(aheadMs) <= CLOCK_MS) return { state: 'ok', found: said }
  return {
    state: 'warning',
    found: said,
    cure: 'Times of the rows are those of the database, ends of tokens those of this machine: set both with NTP.',
  }
}

async function writable(pool: Pool): Promise<Answer> {
  const [found] = await pool<{ standby: boolean; readOnly: boolean }[]>`
    select pg_is_in_recovery() as standby,
      current_setting('transaction_read_only')::boolean as "readOnly"`
  if (found?.standby)
    return {
      state: 'broken',
      found: 'this is a standby',
      cure: 'Point DATABASE_URL at the primary, or promote this one.',
    }
  if (found?.readOnly)
    return {
      state: 'broken',
      found: 'default_transaction_read_only is on',
      cure: 'Turn it off for this role and database, or point DATABASE_URL at the primary.',
    }
  return { state: 'ok', found: 'takes writes' }
}

/** Listens at one address, notifies at the other, and waits for the notification. */
async function listens(pool: Pool, listenAddress: PostgresAddress): Promise<Answer> {
  const channel = `mqtt_status_doctor_${randomUUID().slice(0, 8)}`
  const arrived = Promise.withResolvers<undefined>()
  const listener = connectSql(listenAddress, {
    max: 1,
    applicationName: APPLICATION,
    onnotify: () => {
      arrived.resolve(undefined)
    },
  })
  try {
    await listener.unsafe(`listen ${channel}`)
    const begun = performance.now()
    await pool`select pg_notify(${channel}, '')`
    await within(ANSWER_MS, arrived.promise)
    return {
      state: 'ok',
      found: `a notification took ${(performance.now() - begun).toFixed(1)} ms`,
    }
  } catch (error) {
    return {
      state: 'broken',
      found: `no notification arrives (${toAnswer(error).found}); changes would wait for the timer (FEED_POLL_MS)`,
      cure:
        'Set LISTEN_DATABASE_URL to the direct address of the same database: a pooler in transaction mode (PgBouncer)\n' +
        'does not pass notifications on, and a standby has none.',
    }
  } finally {
    await listener.end({ timeout: 1 })
  }
}
