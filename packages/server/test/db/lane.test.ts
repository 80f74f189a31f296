/** Real sessions of a real Postgres, killed, frozen, disconnected and blocked at every step of a transaction. */
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatabaseAway } from '../../src/db/postgres/away.ts'
import { Lane } from '../../src/db/postgres/lane.ts'
import type { LaneOptions } from '../../src/db/postgres/lane.ts'
import { DEFAULT_SCHEMA } from '../../src/db/postgres/sql.ts'
import type { Sql } from '../../src/db/postgres/sql.ts'

const NAME = 'test-lane'

let database: TestDatabase
const lanes: Lane[] = []

beforeEach(async () => {
  database = await createDatabase()
  await database.sql`create table public.notes (n integer primary key)`
})

afterEach(async () => {
  await Promise.all(lanes.splice(0).map((lane) => lane.stop()))
  await until(async () => (await backends()).length === 0, { what: 'all sessions to be gone' })
  await database.drop()
})

function lane(options: Partial<LaneOptions> = {}): Lane {
  const made = new Lane({
    address: database.url,
    schema: DEFAULT_SCHEMA,
    applicationName: NAME,
    sessions: 1,
    deadlineMs: 20_000,
    ...options,
  })
  lanes.push(made)
  return made
}

async function backends(): Promise<readonly { pid: number; state: string; wait: string | null }[]> {
  return database.sql`
    select pid, state, wait_event_type as wait
    from pg_stat_activity
    where datname = current_database() and application_name = ${NAME}`
}

/** The only session of the lane. */
async function backend(): Promise<number> {
  return until(async () => (await backends())[0]?.pid ?? 0, { what: 'a session' })
}

async function notes(): Promise<readonly number[]> {
  const rows = await database.sql<{ n: number }[]>`select n from public.notes order by n`
  return rows.map(({ n }) => n)
}

async function failure(work: Promise<unknown>): Promise<DatabaseAway> {
  const error = await work.then(
    () => new Error('It has succeeded'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DatabaseAway)
  return error as DatabaseAway
}

/** Lets COMMIT take until it is ended. */
async function stallCommit(): Promise<void> {
  await database.sql.unsafe(`
    create function stall() returns trigger language plpgsql as 'begin perform pg_sleep(600); return null; end';
    create constraint trigger stall after insert on public.notes
      deferrable initially deferred for each row execute function stall()`)
}

async function insertTwo(sql: Sql, between: () => Promise<void>): Promise<void> {
  await sql`insert into public.notes values (1)`
  await between()
  await sql`insert into public.notes values (2)`
}

test('a transaction is all or nothing, and its failure leaves the session usable', async () => {
  const it = lane()
  await it.transact((tx) => insertTwo(tx, () => Promise.resolve()))
  expect(await notes()).toEqual([1, 2])
  const pid = await backend()
  const again = it.transact((tx) => insertTwo(tx, () => Promise.resolve()))
  await expect(again).rejects.toMatchObject({ code: '23505' })
  await expect(
    it.transact(async (tx) => {
      await tx`insert into public.notes values (3)`
      throw new Error('thought better of it')
    }),
  ).rejects.toThrow('thought better of it')
  expect(await it.read((sql) => sql`select n from public.notes`)).toHaveLength(2)
  expect(await backend()).toBe(pid)
})

test('a transaction with a failed statement whose error was caught does not succeed', async () => {
  const it = lane()
  const careless = it.transact(async (tx) => {
    await tx`insert into public.notes values (1)`
    await tx`select 1 / 0`.catch(() => undefined)
  })
  await expect(careless).rejects.toThrow('had failed')
  expect(await notes()).toEqual([])
})

type Step = 'before it begins' | 'between two statements' | 'within a statement' | 'within COMMIT'
const STEPS: readonly (readonly [Step, 'none' | 'unknown'])[] = [
  ['before it begins', 'none'],
  ['between two statements', 'none'],
  ['within a statement', 'none'],
  ['within COMMIT', 'unknown'],
]

/** Does something to the session of the lane at one step of a transaction. */
async function transactWith(
  it: Lane,
  step: Step,
  fault: () => Promise<unknown>,
): Promise<DatabaseAway> {
  await it.read((sql) => sql`select 1`)
  if (step === 'within COMMIT') await stallCommit()
  if (step === 'before it begins') await fault()
  const ran = failure(
    it.transact(async (tx) => {
      await insertTwo(tx, async () => {
        if (step === 'between two statements') await fault()
      })
      if (step === 'within a statement') await tx`select pg_sleep(600)`
    }),
  )
  if (step === 'within a statement' || step === 'within COMMIT') {
    await until(async () => (await backends())[0]?.wait === 'Timeout', { what: 'it to sleep' })
    await fault()
  }
  return ran
}

// Before it begins the lane has noticed, or takes it for a failure: both are tested by what comes next.
test.each(STEPS.slice(1))(
  'pg_terminate_backend %s: the outcome is %s, nothing of it stays, and the next one has a new session',
  async (step, outcome) => {
    const it = lane()
    const error = await transactWith(it, step, async () => {
      const pid = await backend()
      await database.sql`select pg_terminate_backend(${pid})`
      await until(async () => !(await backends()).some((other) => other.pid === pid))
    })
    expect(error.outcome).toBe(outcome)
    expect(await notes()).toEqual([])
    expect(await it.read((sql) => sql`select 1 as one`)).toMatchObject([{ one: 1 }])
  },
)

test.each(STEPS)(
  'a server that stands still %s: the outcome is %s within the deadline, and nothing is left of it',
  async (step, outcome) => {
    const it = lane({ deadlineMs: 1_000 })
    let frozen = 0
    const error = await transactWith(it, step, async () => {
      frozen = await backend()
      process.kill(frozen, 'SIGSTOP')
    })
    expect(error.outcome).toBe(outcome)
    expect(await it.read((sql) => sql`select 1 as one`), 'another session').toMatchObject([
      { one: 1 },
    ])
    process.kill(frozen, 'SIGCONT')
    await until(async () => !(await backends()).some(({ pid }) => pid === frozen), {
      what: 'the session that was given up to end',
    })
    expect(await notes()).toEqual([])
  },
)

test.each(STEPS)(
  'a way that is cut off in silence %s: the outcome is %s within the deadline, and the next one goes another way',
  async (step, outcome) => {
    const proxy = await FaultProxy.start(Number(new URL(database.url).port))
    const url = new URL(database.url)
    url.port = String(proxy.port)
    const it = lane({ address: url.href, deadlineMs: 1_000 })
    const error = await transactWith(it, step, () => {
      proxy.mode = 'drop'
      return Promise.resolve()
    })
    expect(error.outcome).toBe(outcome)
    proxy.mode = 'pass'
    expect(await it.read((sql) => sql`select 1 as one`)).toMatchObject([{ one: 1 }])
    await it.stop()
    await proxy.stop()
  },
)

test('where the database accepts no session, the lane reports it as unavailable and executes nothing', async () => {
  const url = new URL(database.url)
  url.port = '1'
  expect(await failure(lane({ address: url.href }).write((sql) => sql`select`))).toMatchObject({
    outcome: 'none',
  })
  const proxy = await FaultProxy.start(Number(new URL(database.url).port))
  proxy.mode = 'drop'
  url.port = String(proxy.port)
  const silent = lane({ address: url.href, deadlineMs: 300 })
  expect(await failure(silent.write((sql) => sql`select`))).toMatchObject({ outcome: 'none' })
  await silent.stop()
  await proxy.stop()
  url.port = new URL(database.url).port
  url.pathname = '/no_such_database'
  expect(await failure(lane({ address: url.href }).read((sql) => sql`select`))).toMatchObject({
    outcome: 'none',
  })
})

test('the database cancels each statement that waited for a lock until its deadline', async () => {
  await database.sql`insert into public.notes values (1)`
  const it = lane({ deadlineMs: 200 })
  await database.sql.begin(async (tx) => {
    await tx`select from public.notes where n = 1 for update`
    for (let i = 0; i < 10; i++) {
      const error = await failure(
        it.transact((sql) => sql`update public.notes set n = 2 where n = 1`),
      )
      expect(error.outcome).toBe('none')
      await until(async () => (await backends()).every(({ wait }) => wait !== 'Lock'))
    }
    expect((await backends()).length).toBeLessThanOrEqual(2)
  })
  await it.transact((sql) => sql`update public.notes set n = 2 where n = 1`)
  expect(await notes()).toEqual([2])
})

test('a party whose statements are blocked leaves a session for another one', async () => {
  await database.sql`insert into public.notes values (1)`
  const it = lane({ sessions: 3, deadlineMs: 20_000 })
  const blocked: Promise<unknown>[] = []
  await database.sql.begin(async (tx) => {
    await tx`select from public.notes where n = 1 for update`
    for (let i = 0; i < 50; i++)
      blocked.push(
        it.transact((sql) => sql`update public.notes set n = n where n = 1`, { party: 'a' }),
      )
    await until(async () => (await backends()).filter(({ wait }) => wait === 'Lock').length === 2)
    const other = await it.read((sql) => sql`select 1 as one`, { party: 'b' })
    expect(other).toMatchObject([{ one: 1 }])
    expect(await backends()).toHaveLength(3)
  })
  await Promise.all(blocked)
})

test('the wait for a session ends at the deadline', async () => {
  const it = lane()
  const slow = it.read((sql) => sql`select pg_sleep(600)`)
  slow.catch(() => undefined)
  await until(async () => (await backends())[0]?.wait === 'Timeout')
  const error = await failure(
    it.write((sql) => sql`insert into public.notes values (1)`, { deadlineMs: 200 }),
  )
  expect(error.outcome).toBe('none')
  await it.stop()
  expect((await failure(slow)).message).toContain('closed before')
})

test('the database ends a transaction that this process leaves open', async () => {
  const it = lane({ deadlineMs: 1_000 })
  const limits = await it.transact(
    (tx) => tx`
      select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as idle`,
  )
  expect(limits).toMatchObject([{ statement: '1s', idle: '1s' }])
  const after = await it.read((sql) => sql`select current_setting('statement_timeout') as limit`)
  expect(after).toMatchObject([{ limit: '0' }])
})
