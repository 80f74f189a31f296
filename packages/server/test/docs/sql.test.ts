/** Every SQL statement of the README and the docs runs as it is written, in a new database, without a `search_path`. */
import { readdirSync, readFileSync } from 'node:fs'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
/** Statements of this page build on each other: test/system has a test of the same name, which runs them in order. */
const IN_ORDER: readonly string[] = ['attach-replicated.md']
const PAGES = [
  'README.md',
  'packages/server/README.md',
  ...readdirSync(new URL('docs/', ROOT))
    .filter((name) => !IN_ORDER.includes(name))
    .map((name) => `docs/${name}`),
]

interface Sample {
  readonly page: string
  readonly sql: string
}

const samples = PAGES.filter((page) => page.endsWith('.md')).flatMap(samplesOf)

let database: TestDatabase
let sql: postgres.Sql

beforeEach(async () => {
  database = await createDatabase()
  // What the statements refer to; all that they do is undone with the database.
  await database.sql.unsafe('create role app; create role writer').catch(() => undefined)
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
})

afterEach(async () => {
  await sql.end()
  await database.drop()
})

/** Blocks of SQL, and statements within sentences. */
function samplesOf(page: string): Sample[] {
  const text = readFileSync(new URL(page, ROOT), 'utf8')
  const blocks = [...text.matchAll(/^```sql\n(.*?)^```/gms)].map(([, block = '']) => block)
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`]+)`/g)]
    .map(([, span = '']) => span.replace(/\s+/g, ' '))
    .filter((span) =>
      /^(insert into|update|delete from|select|alter|create|grant|set) \S/i.test(span),
    )
  return [...blocks, ...spans].map((statement) => ({ page, sql: statement }))
}

test('there are samples to run', () => {
  expect(samples.length).toBeGreaterThan(5)
})

test.each(samples)('$page: $sql', async ({ sql: text }) => {
  // The statement that a role is to be given where the server may not create the schema.
  if (/^create schema/i.test(text)) await sql`drop schema mqtt_status cascade`
  else if (!text.startsWith('insert into mqtt_status.connections'))
    await database.sql`insert into connections (id, site_id, name) values ('plant-7', 'site-7', 'Impianto 7')`
  await sql.unsafe(text)
})
