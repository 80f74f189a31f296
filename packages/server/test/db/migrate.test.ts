import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate } from '../../src/db/schema/migrate.ts'
import { connectSql } from '../../src/db/postgres/sql.ts'
import type { Pool } from '../../src/db/postgres/sql.ts'
import { SetupError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'

const log = createLog({ level: 'silent', format: 'json' })

let database: TestDatabase
let sql: Pool

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`drop schema mqtt_status cascade`
  sql = connect()
})

afterEach(async () => {
  await sql.end({ timeout: 1 })
  await database.drop()
})

function connect(): Pool {
  return connectSql(database.url, {
    max: 1,
    applicationName: 'test-migrate',
  })
}

test('twenty processes that start at once migrate once', async () => {
  const pools = Array.from({ length: 20 }, connect)
  const migrated = await Promise.all(pools.map((pool) => migrate(pool, log, { schema: null })))
  await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })))
  expect(migrated.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
  expect((await migrate(sql, log, { schema: null })).applied).toEqual([])
})

test('a database of a newer version is refused with an error that says what to do', async () => {
  await migrate(sql, log, { schema: null })
  await database.sql`insert into migrations (name, checksum) values ('9999_future.sql', 'x')`
  await expect(migrate(sql, log, { schema: null })).rejects.toThrow(SetupError)
  await expect(migrate(sql, log, { schema: null })).rejects.toThrow(/newer version.*9999_future/s)
})

test('a released file that was edited is refused', async () => {
  await migrate(sql, log, { schema: null })
  await database.sql`update migrations set checksum = 'x' where name like '0001%'`
  await expect(migrate(sql, log, { schema: null })).rejects.toThrow(/0001_connections.*edited/s)
})

test('a migration that fails changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'))
  writeFileSync(join(folder, '0001_good.sql'), 'create table good ()')
  writeFileSync(join(folder, '0002_bad.sql'), 'create table bad (')
  const url = pathToFileURL(`${folder}/`)
  await expect(migrate(sql, log, { schema: null, folder: url })).rejects.toThrow('syntax')
  expect(await sql`select from pg_namespace where nspname = 'mqtt_status'`).toHaveLength(0)
  rmSync(folder, { recursive: true })
})

test('the error for an unreachable database names it without its password', async () => {
  const away = connectSql('postgres://app:hunter2@127.0.0.1:1/x', {
    max: 1,
    applicationName: 'x',
  })
  const refusal = migrate(away, log, { schema: null })
  await expect(refusal).rejects.toThrow(/can't be reached at 127\.0\.0\.1:1 .*DATABASE_URL/s)
  await expect(refusal).rejects.not.toThrow(/hunter2/)
  await away.end()
})
