/** A Postgres of a test's own: it may be stopped, replaced by a copy, made a standby and promoted. */
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { administer, databaseUrl, SCHEMA } from '@mqtt-status/testing/postgres'
import postgres from 'postgres'
import { describeFolder } from '../../src/embedded/postgres-folder.ts'
import type { PostgresFolder } from '../../src/embedded/postgres-folder.ts'
import { postgresUser } from '../../src/embedded/postgres-user.ts'
import { startPostgres } from '../../src/embedded/postgres.ts'
import type { RunningPostgres } from '../../src/embedded/postgres.ts'
import { readPostmaster } from '../../src/embedded/postmaster.ts'

const run = promisify(execFile)
const DATABASE = 'plant'

export class OwnPostgres {
  readonly #folder: PostgresFolder
  #running: RunningPostgres | null = null
  #sql: postgres.Sql | null = null

  private constructor(path: string) {
    this.#folder = describeFolder(path)
  }

  /** An empty cluster with one database. */
  static async create(): Promise<OwnPostgres> {
    const own = new OwnPostgres(await emptyFolder())
    own.#running = await startPostgres({ folder: own.#folder.path })
    await administer(own.#running.url, (admin) => admin.unsafe(`create database ${DATABASE}`))
    await own.start()
    return own
  }

  get url(): string {
    return databaseUrl(this.#serverUrl, DATABASE)
  }

  /** A superuser's way in, named so that it is not taken for the server's. */
  get sql(): postgres.Sql {
    return (this.#sql ??= postgres(this.url, {
      max: 1,
      max_lifetime: null,
      // See db/postgres/sql.ts.
      fetch_types: false,
      onnotice: () => undefined,
      backoff: () => 0.05,
      connection: { application_name: 'test', search_path: SCHEMA },
    }))
  }

  get #serverUrl(): string {
    if (this.#running === null) throw new Error('It does not run')
    return this.#running.url
  }

  /** Starts it again with other settings. */
  async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.sql.unsafe(`alter system set ${name} = '${value}'`)
    await this.stop()
    await this.start()
  }

  async start(): Promise<void> {
    this.#running ??= await startPostgres({ folder: this.#folder.path })
    // Open before anybody counts sockets.
    await this.sql`select`
  }

  /** Writes a file of the cluster, for example its certificate; only Postgres may read it. */
  async write(name: string, content: string): Promise<void> {
    const path = join(this.#folder.data, name)
    await writeFile(path, content, { mode: 0o600 })
    const user = await postgresUser()
    if (user !== null) await run('chown', [`${user.uid}:${user.gid}`, path])
  }

  /** On the same port, with the settings that were changed. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** `immediate`: like a crash. Postgres starts again on the same port. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const running = this.#running
    if (running === null) return
    this.#running = null
    await this.#sql?.end({ timeout: 1 })
    this.#sql = null
    const postmaster = await readPostmaster(this.#folder.data)
    if (mode === 'immediate' && postmaster !== null) {
      process.kill(postmaster.pid, 'SIGQUIT')
      await running.ended
    }
    await running.stop()
  }

  /** All files of it, in a folder of their own; both are stopped. */
  async copy({ standby }: { standby: boolean }): Promise<OwnPostgres> {
    await this.stop()
    const other = new OwnPostgres(await emptyFolder())
    const { data, password, port, path } = this.#folder
    await run('cp', ['-a', data, password, port, join(path, '.mqtt-status'), other.#folder.path])
    if (standby) {
      const signal = join(other.#folder.data, 'standby.signal')
      await run('touch', [signal])
      const user = await postgresUser()
      if (user !== null) await run('chown', [`${user.uid}:${user.gid}`, signal])
    }
    return other
  }

  /** Takes the place of another one that is stopped: its port and its password. */
  async replace(other: OwnPostgres): Promise<void> {
    const password = await readFile(other.#folder.password, 'utf8')
    await this.sql.unsafe(`alter role postgres password '${password}'`)
    await this.stop()
    await writeFile(this.#folder.password, password)
    await writeFile(this.#folder.port, await readFile(other.#folder.port))
    await this.start()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder.path, { recursive: true, force: true })
  }
}

async function emptyFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mqtt-status-own-'))
  // Started by root, Postgres runs as another user, who has to be able to traverse the folder.
  await chmod(path, 0o711)
  return path
}

const TABLES = ['connections', 'connection_tombstones', 'meta'] as const

/** What a dump holds of the tables that matter here. */
export async function dump(sql: postgres.Sql): Promise<Readonly<Record<string, string>>> {
  const tables = TABLES.map(async (table) => {
    const [found] = await sql.unsafe<{ rows: string }[]>(
      `select coalesce(json_agg(t), '[]')::text as rows from ${table} t`,
    )
    return [table, found?.rows ?? '[]'] as const
  })
  return Object.fromEntries(await Promise.all(tables))
}

/** Puts it back as pg_restore does: rows as they were, before there are triggers. */
export async function restore(
  sql: postgres.Sql,
  tables: Readonly<Record<string, string>>,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`alter table connections disable trigger user`
    for (const [table, rows] of Object.entries(tables)) {
      await tx.unsafe(`delete from ${table}`)
      await tx.unsafe(
        `insert into ${table} select * from json_populate_recordset(null::${table}, $1::text::json)`,
        [rows],
      )
    }
    const triggers = await tx<{ name: string }[]>`
      select tgname as name from pg_trigger where tgrelid = 'connections'::regclass and not tgisinternal`
    for (const { name } of triggers)
      await tx`alter table connections enable always trigger ${tx(name)}`
  })
}
