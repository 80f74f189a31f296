/**
 * Prepares Postgres for the tests: the server that `TEST_DATABASE_URL` names, or an embedded one for this run; and in it
 * a migrated template that every test file copies.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { administer, databaseUrl } from '@mqtt-status/testing/postgres'
import { migrate } from '../packages/server/src/db/schema/migrate.ts'
import { connectSql } from '../packages/server/src/db/postgres/sql.ts'
import { createLog } from '../packages/server/src/log.ts'

const MIGRATIONS = new URL('../packages/server/migrations/', import.meta.url)

export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL']
  const server =
    given === undefined ? await startEmbedded() : { url: given, stop: async () => undefined }
  process.env['TEST_DATABASE_URL'] = server.url
  process.env['TEST_DATABASE_TEMPLATE'] = await prepareTemplate(server.url)
  return async () => {
    await server.stop()
    if (given === undefined) delete process.env['TEST_DATABASE_URL']
  }
}

async function startEmbedded(): Promise<{ url: string; stop(): Promise<void> }> {
  const { startPostgres } = await import('../packages/server/src/embedded/postgres.ts')
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-status-test-'))
  const server = await startPostgres({ folder })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Named after the migrations, so that a server that is kept between runs never lends an old schema. */
async function prepareTemplate(server: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of readdirSync(MIGRATIONS).toSorted())
    hash.update(readFileSync(new URL(name, MIGRATIONS)))
  const template = `mqtt_status_template_${hash.digest('hex').slice(0, 12)}`
  await administer(server, async (admin) => {
    // Two runs on one server must not prepare it at the same time.
    await admin`select pg_advisory_lock(7411003)`
    const [ready] =
      await admin`select 1 from pg_database where datname = ${template} and datistemplate`
    if (ready !== undefined) return
    await admin.unsafe(`drop database if exists ${template}`)
    await admin.unsafe(`create database ${template}`)
    const url = databaseUrl(server, template)
    const sql = connectSql(url, { max: 2, applicationName: 'template' })
    await migrate(sql, createLog({ level: 'warn', format: 'json' }), { schema: null })
    await sql.end({ timeout: 1 })
    await admin.unsafe(`alter database ${template} is_template true`)
  })
  return template
}
