import { createDatabase, databaseUrl } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { doctor } from '../../src/cli/doctor.ts'
import type { Finding } from '../../src/cli/finding.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createDatabase()
})

afterEach(async () => {
  const left = await database.sql`
    select from pg_stat_activity where application_name = 'mqtt-status-doctor'`
  expect(left).toHaveLength(0)
  await database.drop()
})

interface Report {
  /** The sentence that the exit code 1 comes with. */
  readonly failure: string
  readonly printed: string
}

async function run(environment: Record<string, string>, json = false): Promise<Report> {
  const lines: string[] = []
  const edge = {
    environment,
    version: '0.0.0',
    terminal: false,
    progress: () => undefined,
    print: (line: string) => lines.push(line),
    signal: () => new AbortController().signal,
  }
  const failure = await doctor(edge, {}, { adopt: false, json }).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return { failure, printed: lines.join('\n') }
}

async function states(environment: Record<string, string>): Promise<Record<string, string>> {
  const { printed } = await run(environment, true)
  const findings = JSON.parse(printed) as Finding[]
  return Object.fromEntries(findings.map(({ check, state }) => [check, state]))
}

test('the doctor passes every check of a healthy setup, as lines and as JSON', async () => {
  const { failure, printed } = await run({ DATABASE_URL: database.url })
  expect(failure).toBe('')
  expect(printed.split('\n').map((line) => line.split(':')[0])).toEqual([
    '✓ configuration',
    '✓ database',
    '✓ version',
    '✓ clock',
    '✓ writable',
    '✓ listen',
    '✓ schema',
    '✓ rights',
    '✓ grants',
    '✓ secrets',
    '✓ attachments',
    '✓ epoch',
  ])
  expect(printed).toMatch(/listen: a notification took [\d.]+ ms/)
  expect(new Set(Object.values(await states({ DATABASE_URL: database.url })))).toEqual(
    new Set(['ok']),
  )
  expect(await database.sql`select from connections`).toHaveLength(0)
  expect(await database.sql`select from connection_tombstones`).toHaveLength(0)
})

test('the doctor says how long tokens may be valid, and warns of a long time', async () => {
  const access = async (AUTH_MAX_TTL: string): Promise<string> => {
    const AUTH_JWT_SECRET = 'a secret of at least thirty-two bytes'
    const { failure, printed } = await run({
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET,
      AUTH_MAX_TTL,
    })
    expect(failure).toBe('')
    return printed.split('\n✓ database')[0] ?? ''
  }
  expect(await access('')).toBe(
    '✓ configuration: can be read; tokens are accepted that are valid for 7d at most',
  )
  expect(await access('365d')).toMatch(
    /^! configuration: .* 365d at most\n +A token can not be taken back .* AUTH_MAX_TTL to 90d/,
  )
})

test('the doctor describes a fault of the configuration in a sentence', async () => {
  const { failure, printed } = await run({ DATABASE_URL: database.url, PORT: 'http' })
  expect(failure).toContain('configuration')
  expect(printed).toContain('✗ configuration')
  expect(printed).toContain('PORT: found "http"')
})

test('the doctor never prints a password, whatever is wrong', async () => {
  const away = new URL(database.url)
  // With `trust` in pg_hba.conf Postgres ignores a wrong password; it always refuses an unknown user.
  away.username = 'no-such-role'
  away.password = 'hunter2'
  for (const url of [away.href, 'postgres://app:hunter2@127.0.0.1:1/x']) {
    const { failure, printed } = await run({ DATABASE_URL: url, LISTEN_DATABASE_URL: url })
    expect(failure).toContain('database')
    expect(printed).toMatch(/✗ database: .*(password|does not exist|can't be reached)/)
    expect(printed + failure).not.toContain('hunter2')
  }
})

test('the doctor finds an address for LISTEN on which no notifications arrive', async () => {
  // Another database stands for a pooler in transaction mode: a session may LISTEN there, and gets no notification.
  const elsewhere = databaseUrl(database.url, 'postgres')
  const { failure, printed } = await run({
    DATABASE_URL: database.url,
    LISTEN_DATABASE_URL: elsewhere,
  })
  expect(failure).toContain('listen')
  expect(printed).toMatch(/✗ listen: no notification arrives[^]*LISTEN_DATABASE_URL/)
})

test('a schema that is not migrated is a warning, one of a newer version is a fault', async () => {
  await database.sql`delete from migrations where name like '0013%'`
  expect(await states({ DATABASE_URL: database.url })).toMatchObject({ schema: 'warning' })
  await database.sql`insert into migrations values ('9999_future.sql', 'x')`
  const { failure, printed } = await run({ DATABASE_URL: database.url })
  expect(failure).toContain('schema')
  expect(printed).toContain('newer version')
})

test('the schema of the tables is named, and so are other installations', async () => {
  const before = await run({ DATABASE_URL: database.url })
  expect(before.printed).toContain(
    '✓ schema: the tables are in the schema "mqtt_status", as of this version\n',
  )
  const url = { DATABASE_URL: database.url, DATABASE_SCHEMA: 'second' }
  const fresh = await run(url)
  expect(fresh.failure).toBe('')
  expect(fresh.printed).toMatch(
    /! schema: the tables will be in the schema "second"; to be migrated: .*; there are other installations in "mqtt_status"\n/,
  )
})

test('triggers that are disabled are named', async () => {
  await database.sql`alter table connections disable trigger connections_poke_update`
  const { failure, printed } = await run({ DATABASE_URL: database.url })
  expect(failure).toContain('rights')
  expect(printed).toContain('connections_poke_update')
})

test.each([
  ['create on schema mqtt_status', 'PUBLIC may create objects in the schema mqtt_status'],
  ['select on mqtt_status.connections', 'PUBLIC may use mqtt_status.connections'],
  ['select (detail) on mqtt_status.connections', 'PUBLIC may use mqtt_status.connections'],
  ['usage on schema mqtt_status', null],
  ['all on mqtt_status.connection_secrets', 'PUBLIC may use mqtt_status.connection_secrets'],
] as const)('the doctor judges the right of PUBLIC to %s', async (right, found) => {
  await database.sql.unsafe(`grant ${right} to public`)
  const { failure, printed } = await run({ DATABASE_URL: database.url })
  expect(failure).toBe('')
  if (found === null) {
    expect(printed).toContain('✓ grants: ')
    return
  }
  expect(printed).toContain(`! grants: ${found}`)
  const [, cure = ''] = /^! grants: .*\n +(revoke .*;)$/m.exec(printed) ?? []
  await database.sql.unsafe(cure)
  expect((await run({ DATABASE_URL: database.url })).printed).toContain('✓ grants: ')
})

test('a role that may create objects in the schema is named, and so are tables that PUBLIC may use', async () => {
  const role = `"Maker ${crypto.randomUUID().slice(0, 8)}"`
  await database.sql.unsafe(`
    create role ${role};
    grant create, usage on schema mqtt_status to ${role}, public;
    grant select on mqtt_status.connections, mqtt_status.meta to public`)
  const { printed } = await run({ DATABASE_URL: database.url })
  expect(printed).toContain(
    `! grants: ${role}, PUBLIC may create objects in the schema mqtt_status, and obtain the rights of the server with them; ` +
      'PUBLIC may use mqtt_status.connections, mqtt_status.meta\n' +
      `    revoke create on schema mqtt_status from ${role}, PUBLIC;\n` +
      '    revoke all on mqtt_status.connections, mqtt_status.meta from PUBLIC;\n',
  )
  await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
})

test('for a role with too few rights the doctor names the right that is missing', async () => {
  const role = `reader_${crypto.randomUUID().slice(0, 8)}`
  await database.sql.unsafe(`create role ${role} login password 'secret-of-reader'`)
  await database.sql.unsafe(`grant usage on schema mqtt_status to ${role}`)
  await database.sql.unsafe(`grant select on all tables in schema mqtt_status to ${role}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret-of-reader'
  const { failure, printed } = await run({ DATABASE_URL: url.href })
  expect(failure).toContain('rights')
  expect(printed).toMatch(/✗ rights: permission denied for table connections/)
  await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
})
