/** Times that Postgres has and other programs can not read, in every column and over every transport. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { House } from './house.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** What is sent; `exact` where the time has four digits. */
const VALUES: Readonly<Record<string, string | null>> = {
  infinity: '9999-12-31T23:59:59.999Z',
  '-infinity': '0001-01-01T00:00:00.000Z',
  '294276-12-31 23:59:59.999999+00': '9999-12-31T23:59:59.999Z',
  '10000-01-01 00:00:00+00': '9999-12-31T23:59:59.999Z',
  '9999-12-31 23:59:59.999999+00': '9999-12-31T23:59:59.999Z',
  '9999-12-31 23:59:59.998999+00': '9999-12-31T23:59:59.998Z',
  '4713-01-01 00:00:00+00 BC': '0001-01-01T00:00:00.000Z',
  '0001-12-31 23:59:59.999999+00 BC': '0001-01-01T00:00:00.000Z',
  '0044-03-15 12:00:00+00': '0044-03-15T12:00:00.000Z',
  '1969-12-31 23:59:59.999999+00': '1969-12-31T23:59:59.999Z',
  '2026-11-28 10:11:12.123456+00': '2026-11-28T10:11:12.123Z',
  '2026-11-28 10:11:12.999999+05:30': '2026-11-28T04:41:12.999Z',
}
const COLUMNS = {
  desired_at: 'desiredAt',
  since: 'since',
  last_message_at: 'lastMessageAt',
  device_since: 'deviceSince',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
} as const
type Column = keyof typeof COLUMNS

interface Case {
  readonly id: string
  readonly column: Column
  readonly value: string | null
  readonly sent: string | null
}

const CASES: readonly Case[] = (Object.keys(COLUMNS) as Column[]).flatMap((column) => [
  ...Object.entries(VALUES).map(([value, sent], n) => ({
    id: `${column}-${n}`,
    column,
    value,
    sent,
  })),
  // The others are not null.
  ...(['desired_at', 'last_message_at', 'device_since'].includes(column)
    ? [{ id: `${column}-null`, column, value: null, sent: null }]
    : []),
])
const ROW_CASES = CASES.filter(({ column }) => !['created_at', 'updated_at'].includes(column))

let database: TestDatabase
let house: House

beforeAll(async () => {
  database = await createDatabase()
  house = await House.open(database.url)
  await database.sql`insert into connections (id, site_id, name, managed) values ('neighbour', 's', 'N', false)`
  for (const { id, column, value } of CASES)
    await database.sql`
      insert into connections (id, site_id, name, managed, ${database.sql(column)})
      values (${id}, 's', ${id}, false, ${value}::text::timestamptz)`
  await database.sql`
    insert into connection_secrets (connection_id, field, reference, updated_at)
    select 'neighbour', field, 'env:MQTT_SECRET_X', at::timestamptz
    from (values ('password', 'infinity'), ('tls.key', '-infinity')) v (field, at)`
  await database.sql`
    insert into commands (connection_id, site_id, action, generation, at)
    select 'neighbour', 's', 'connect', 1, at::timestamptz
    from (values ('infinity'), ('-infinity'), ('294276-12-31'), ('4713-01-01 BC')) v (at)`
})

afterAll(async () => {
  await house.close()
  await database.drop()
})

type Row = Readonly<Record<string, unknown>>

function expectTimes(rows: readonly Row[], cases: readonly Case[]): void {
  const byId = new Map(rows.map((row) => [row['id'], row]))
  expect(byId.get('neighbour')).toBeDefined()
  const sent = cases.map(({ id, column }) => [id, byId.get(id)?.[COLUMNS[column]]])
  expect(sent).toEqual(cases.map(({ id, sent: time }) => [id, time]))
  for (const row of rows)
    for (const field of Object.values(COLUMNS)) {
      const time = row[field]
      if (typeof time === 'string')
        expect(new Date(time).toISOString(), String(row['id'])).toBe(time)
    }
}

const SNAPSHOT = /event: snapshot\ndata: (.*)\n/

async function json(path: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(`${house.url}/${path}`, init)
  expect(answer.status, path).toBe(200)
  return answer.json()
}

async function commandLine(...args: string[]): Promise<unknown> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: database.url }
  const options = { env, maxBuffer: 1e8 }
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], options)
  return JSON.parse(stdout) as unknown
}

test('a page over WebSocket gets a time that it can read, and all other rows', async () => {
  const client = await house.watch()
  await until(() => client.rows.size === CASES.length + 1)
  expectTimes([...client.rows.values()] as unknown as Row[], ROW_CASES)
})

test('a page over Server-Sent Events gets the same', async () => {
  const answer = await fetch(`${house.url}/sse/status?all=1`)
  let text = ''
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  await until(
    async () => {
      text += (await reader?.read())?.value ?? ''
      return SNAPSHOT.test(text)
    },
    { what: 'a snapshot' },
  )
  await reader?.cancel()
  const data = SNAPSHOT.exec(text)?.[1] ?? ''
  expectTimes((JSON.parse(data) as { connections: Row[] }).connections, ROW_CASES)
})

test('a page that polls, and every program that reads over HTTP, gets the same', async () => {
  const poll = await json('api/v1/connections/query', { method: 'POST', body: '{"all":true}' })
  expectTimes((poll as { connections: Row[] }).connections, ROW_CASES)
  const list = await json('api/v1/connections')
  expectTimes((list as { connections: Row[] }).connections, ROW_CASES)
  const one = await json('api/v1/connections/since-0')
  expect(one).toMatchObject({ since: '9999-12-31T23:59:59.999Z' })
})

test('settings of every row can be read, with the times of their secrets', async () => {
  const ids = [...CASES.map(({ id }) => id), 'neighbour']
  const settings = await Promise.all(ids.map((id) => json(`api/v1/connections/${id}/settings`)))
  const created = CASES.filter(({ column }) => column === 'created_at' || column === 'updated_at')
  expectTimes(settings as Row[], created)
  expect(JSON.stringify(settings.at(-1))).toMatch(
    /9999-12-31T23:59:59\.999Z.*0001-01-01T00:00:00\.000Z|0001-01-01T00:00:00\.000Z.*9999-12-31T23:59:59\.999Z/,
  )
})

test('the audit can be read', async () => {
  const { entries } = (await json('api/v1/audit')) as { entries: Row[] }
  expect(entries.map(({ at }) => at).toSorted()).toEqual([
    ...Array<string>(2).fill('0001-01-01T00:00:00.000Z'),
    ...Array<string>(2).fill('9999-12-31T23:59:59.999Z'),
  ])
})

test('the command line lists and exports every row', async () => {
  expectTimes((await commandLine('connections', 'list', '--json')) as Row[], ROW_CASES)
  const exported = await commandLine('connections', 'export', '--format', 'json')
  const { connections } = exported as { connections: Row[] }
  expect(connections.map(({ id }) => id).toSorted()).toEqual(
    [...CASES.map(({ id }) => id), 'neighbour'].toSorted(),
  )
})

test('the log names each row with such a time once, and again when the time comes back', async () => {
  const lines = (): string =>
    house.log.filter((line) => line.includes('no program reads')).join('\n')
  const named = (id: string): number => lines().split(`"${id} (`).length - 1
  await until(() => named('since-0') > 0)
  await database.sql`update connections set name = 'again' where id = 'since-0'`
  await database.sql`update connections set since = now() where id = 'since-1'`
  await database.sql`update connections set last_message_at = 'infinity' where id = 'neighbour'`
  await until(() => named('neighbour') === 1)
  expect(lines()).toContain('neighbour (last_message_at)')
  expect(named('since-0')).toBe(1)
  expect(named('since-10'), 'a time that every program reads').toBe(0)
  await database.sql`update connections set since = 'infinity' where id = 'since-1'`
  await until(() => named('since-1') === 2)
})
