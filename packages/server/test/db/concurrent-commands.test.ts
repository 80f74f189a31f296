/** Many commands for one row at once, from one node and from two. */
import type { Action } from '@mqtt-status/protocol'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from '../../src/db/connections/commands.ts'
import type { CommandResult } from '../../src/db/connections/commands.ts'
import { Lane } from '../../src/db/postgres/lane.ts'
import { DEFAULT_SCHEMA } from '../../src/db/postgres/sql.ts'

const NAME = 'test-commands'

let database: TestDatabase
const nodes: Lane[] = []

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name, managed, desired)
    values ('a', 's', 'A', true, 'disconnected'), ('b', 's', 'B', true, 'disconnected')`
})

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
  await database.drop()
})

function node({ sessions = 3, deadlineMs = 30_000 } = {}): Lane {
  const lane = new Lane({
    address: database.url,
    schema: DEFAULT_SCHEMA,
    applicationName: NAME,
    sessions,
    deadlineMs,
  })
  nodes.push(lane)
  return lane
}

function ask(
  lane: Lane,
  id: string,
  action: Action,
  key: string | null = null,
): Promise<CommandResult> {
  return command(lane, { id, siteId: 's', action, actor: 'me', idempotencyKey: key })
}

const ACTIONS: readonly Action[] = ['connect', 'disconnect', 'reconnect']

test.each([1, 2])(
  'with %d nodes, 120 commands for one row at once are made one after the other, and the last one counts',
  async (count) => {
    const lanes = Array.from({ length: count }, () => node())
    const results = await Promise.all(
      Array.from({ length: 120 }, (_, n) => {
        const lane = lanes[n % count] ?? node()
        return ask(lane, 'a', ACTIONS[Math.floor(Math.random() * ACTIONS.length)] ?? 'connect')
      }),
    )
    const generations = results.map((result) =>
      result.kind === 'accepted' ? result.generation : 0,
    )
    expect(generations.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 120 }, (_, n) => n + 1),
    )
    const audit = await database.sql<{ action: Action; generation: string }[]>`
      select action, generation from commands order by id`
    expect(audit.map(({ generation }) => Number(generation))).toEqual(
      generations.toSorted((a, b) => a - b),
    )
    const [row] = await database.sql`
      select desired, generation::int, restart_generation::int as restarts from connections where id = 'a'`
    expect(row).toEqual({
      desired: audit.at(-1)?.action === 'disconnect' ? 'disconnected' : 'connected',
      generation: 120,
      restarts: audit.filter(({ action }) => action === 'reconnect').length,
    })
    const [stats] = await database.sql`
      select deadlocks::int from pg_stat_database where datname = current_database()`
    expect(stats?.['deadlocks']).toBe(0)
  },
)

test('commands of one node for one row are made in the order in which they came', async () => {
  const lane = node()
  const asked = Array.from({ length: 60 }, (_, n) => ask(lane, 'a', ACTIONS[n % 3] ?? 'connect'))
  const generations = (await Promise.all(asked)).map((result) =>
    result.kind === 'accepted' ? result.generation : 0,
  )
  expect(generations).toEqual(generations.map((_, n) => n + 1))
})

test('a command that two nodes get at the same time with the same key is made once', async () => {
  const lanes = [node(), node()]
  const results = await Promise.all(
    Array.from({ length: 60 }, (_, n) => ask(lanes[n % 2] ?? node(), 'a', 'connect', `k${n % 3}`)),
  )
  expect(new Set(results.map((result) => result.kind))).toEqual(new Set(['accepted']))
  const audit = await database.sql`select idempotency_key as key from commands order by 1`
  expect(audit.map(({ key }) => key as string)).toEqual(['k0', 'k1', 'k2'])
})

test('commands for a row that is locked take one session, and end in time; another row of the site is commanded meanwhile', async () => {
  const lane = node({ deadlineMs: 3_000 })
  let refused: Promise<PromiseSettledResult<CommandResult>[]> | undefined
  await database.sql.begin(async (tx) => {
    await tx`select from connections where id = 'a' for update`
    refused = Promise.allSettled(Array.from({ length: 20 }, () => ask(lane, 'a', 'connect')))
    const blocked = (): Promise<unknown[]> => database.sql<object[]>`
      select pid from pg_stat_activity where application_name = ${NAME} and wait_event_type = 'Lock'`
    await until(async () => (await blocked()).length > 0, {
      what: 'a command to wait for the lock',
    })
    for (const action of ACTIONS)
      expect(await ask(lane, 'b', action)).toMatchObject({ kind: 'accepted' })
    expect(await blocked()).toHaveLength(1)
    for (const result of await refused)
      expect(result).toMatchObject({ reason: { code: 'database_unavailable', outcome: 'none' } })
  })
  expect(await ask(lane, 'a', 'disconnect')).toMatchObject({ kind: 'accepted', generation: 1 })
  const audit = await database.sql`select action from commands where connection_id = 'a'`
  expect([...audit]).toEqual([{ action: 'disconnect' }])
})
