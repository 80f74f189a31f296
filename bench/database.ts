/** A Postgres with a table of rows: `BENCH_DATABASE_URL`, or an embedded one for this run. */
import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { migrate } from '../packages/server/src/db/schema/migrate.ts'
import { connectSql } from '../packages/server/src/db/postgres/sql.ts'
import { startPostgres } from '../packages/server/src/embedded/postgres.ts'
import { createLog } from '../packages/server/src/log.ts'
import { marker } from './marker.ts'

export interface BenchDatabase {
  readonly url: string
  readonly sql: postgres.Sql
  readonly version: string
  /** Of the process that all sessions belong to; `null` where it is not ours. */
  readonly pid: number | null
  stop(): Promise<void>
}

export async function startDatabase(rows: number): Promise<BenchDatabase> {
  const given = process.env['BENCH_DATABASE_URL']
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-status-bench-'))
  const server = given === undefined ? await startPostgres({ folder }) : { url: given }
  const sql = postgres(server.url, {
    max: 8,
    onnotice: () => undefined,
    max_lifetime: null,
    connection: { search_path: 'mqtt_status' },
  })
  const schema = connectSql(server.url, { max: 1, applicationName: 'bench' })
  await migrate(schema, createLog({ level: 'warn', format: 'json' }), { schema: null })
  await schema.end()
  await fill(sql, rows)
  const [found] = await sql<{ version: string }[]>`select split_part(version(), ' ', 2) as version`
  return {
    url: server.url,
    sql,
    version: found?.version ?? 'unknown',
    pid: given === undefined ? postmasterOf(folder) : null,
    async stop() {
      await sql.end({ timeout: 5 })
      if ('stop' in server) await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Rows c0, c1, …, a hundred to a site, with a marker in the name that counts as nothing. */
export async function fill(sql: postgres.Sql, rows: number): Promise<void> {
  await sql`delete from connections`
  await sql`
    insert into connections (id, site_id, name, status, desired)
    select 'c' || i, 's' || (i / 100), ${marker(0)}, 'connected', 'connected'
    from generate_series(0, ${rows - 1}::int) i`
  await sql`vacuum analyze connections`
}

function postmasterOf(folder: string): number | null {
  for (const path of ['postmaster.pid', 'data/postmaster.pid']) {
    try {
      return Number(readFileSync(join(folder, path), 'utf8').split('\n')[0])
    } catch {
      // It is in the other place.
    }
  }
  return null
}
