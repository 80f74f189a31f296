/** A database of its own for each test file, made in some ten milliseconds from a template that is migrated once. */
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'

/** Where a new database has the tables. */
export const SCHEMA = 'mqtt_status'

export interface TestDatabase {
  readonly url: string
  /** A pool of a superuser, for set-up and for faults. */
  readonly sql: postgres.Sql
  drop(): Promise<void>
}

/** @throws outside of a test run, where the server and the template are not prepared */
export async function createDatabase(): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  const template = process.env['TEST_DATABASE_TEMPLATE']
  if (server === undefined || template === undefined) {
    throw new Error('Run it with vitest: test/postgres-setup.ts prepares the databases.')
  }
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(server, (admin) => admin.unsafe(`create database ${name} template ${template}`))
  const url = databaseUrl(server, name)
  const sql = postgres(url, {
    max: 4,
    onnotice: () => undefined,
    max_lifetime: null,
    // Tests name the tables as a person at a prompt does; the sessions of the server have no such setting.
    connection: { search_path: SCHEMA },
  })
  // The server takes a copy for what it is, and waits for an operator to adopt it; a database of a test counts as new.
  await sql`update meta set database_oid = (select database_oid from meta_home())`
  return {
    url,
    sql,
    async drop() {
      await sql.end({ timeout: 1 })
      await administer(server, (admin) => admin.unsafe(`drop database ${name} with (force)`))
    },
  }
}

/** The address of another database on the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Runs something on the server itself; databases can't be made or dropped from within. */
export async function administer<T>(
  server: string,
  work: (admin: postgres.Sql) => PromiseLike<T>,
): Promise<T> {
  const admin = postgres(server, { max: 1, onnotice: () => undefined })
  try {
    return await work(admin)
  } finally {
    await admin.end({ timeout: 1 })
  }
}
