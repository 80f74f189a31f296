/**
 * The mirror is right, whatever a portal does: random transactions of several sessions that update, delete, change keys,
 * truncate, sleep, set savepoints and roll back, while nodes come and go. In the end connections are the mapped table.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import { pick, randomFrom } from '@mqtt-status/testing/random'
import type postgres from 'postgres'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Mirroring } from '../../src/attach/mirroring.ts'
import { Portal } from './portal.ts'

const RUNS = Number(process.env['RUNS'] ?? 2)
const FIRST_SEED = Number(process.env['SEED'] ?? 20_261_128)
const WRITERS = 6
const TRANSACTIONS = 40
const KEYS = 40
const WORDS = ['connected', 'pending', 'error', 'disconnected', 'half-open', 'Ünknown']
const MEANINGS: Readonly<Record<string, string>> = {
  connected: 'connected',
  pending: 'connecting',
  error: 'failed',
  disconnected: 'disconnected',
}
const ON_PURPOSE = 'rolled back on purpose'
/** Faults that random writers have among themselves: duplicate keys and deadlocks. */
const THEIRS = ['23505', '40P01']

type Random = () => number
type Change = (tx: postgres.Sql, random: Random) => PromiseLike<unknown>

const key = (random: Random): number => 1 + Math.floor(random() * KEYS)

/** What a transaction does in one step, with its share of all steps. */
const CHANGES: readonly (readonly [share: number, change: Change])[] = [
  [
    25,
    (tx, random) => tx`
      insert into mqtt_mqttconnection (id, site_id, name, status)
      values (${key(random)}, ${key(random)}, ${`N ${random()}`}, ${pick(random, WORDS)})
      on conflict (id) do update set status = excluded.status, name = excluded.name`,
  ],
  [
    25,
    (tx, random) => tx`
      update mqtt_mqttconnection set status = ${pick(random, WORDS)} where id = ${key(random)}`,
  ],
  [
    10,
    (tx, random) => tx`
      update mqtt_mqttconnection set site_id = ${key(random)}, note = 'unmirrored'
      where id % 7 = ${Math.floor(random() * 7)}`,
  ],
  [10, (tx, random) => tx`delete from mqtt_mqttconnection where id = ${key(random)}`],
  [
    8,
    (tx, random) => tx`
      update mqtt_mqttconnection set deleted_at = case when deleted_at is null then now() end
      where id = ${key(random)}`,
  ],
  [
    8,
    (tx, random) => tx`
      update mqtt_mqttconnection set id = ${key(random)} where id = ${key(random)}`,
  ],
  // Two rows exchange their keys.
  [
    4,
    async (tx, random) => {
      const [one, other] = [key(random), key(random)]
      await tx`update mqtt_mqttconnection set id = -1 where id = ${one}`
      await tx`update mqtt_mqttconnection set id = ${one} where id = ${other}`
      await tx`update mqtt_mqttconnection set id = ${other} where id = -1`
    },
  ],
  [
    4,
    (tx, random) => tx`
      insert into mqtt_mqttconnection (id, site_id, name, status)
      select i, 1, 'bulk', ${pick(random, WORDS)} from generate_series(100, 250) i
      on conflict (id) do update set status = excluded.status`,
  ],
  [3, (tx) => tx`delete from mqtt_mqttconnection where id > 99`],
  [1, (tx) => tx`truncate mqtt_mqttconnection`],
  [
    2,
    async (tx, random) => {
      await tx`set local session_replication_role = replica`
      await tx`update mqtt_mqttconnection set name = 'replicated' where id = ${key(random)}`
      await tx`set local session_replication_role = origin`
    },
  ],
]
const SHARES = CHANGES.reduce((sum, [share]) => sum + share, 0)

function anyChange(random: Random): Change {
  let left = random() * SHARES
  for (const [share, change] of CHANGES) {
    left -= share
    if (left < 0) return change
  }
  throw new Error('The shares do not add up')
}

let portal: Portal

beforeAll(async () => {
  portal = await Portal.open()
})

afterEach(async () => {
  await portal.reset()
})

afterAll(async () => {
  await portal.close()
})

/** @returns how many of its transactions were committed */
async function write(random: Random): Promise<number> {
  let committed = 0
  for (let i = 0; i < TRANSACTIONS; i++) {
    try {
      await portal.sql.begin((tx) => transact(tx as unknown as postgres.Sql, random))
      committed++
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (message !== ON_PURPOSE && !THEIRS.includes(code ?? '')) throw error
    }
  }
  return committed
}

async function transact(tx: postgres.Sql, random: Random): Promise<void> {
  const steps = 1 + Math.floor(random() * 4)
  for (let step = 0; step < steps; step++) {
    const savepoint = random() < 0.25
    if (savepoint) await tx`savepoint s`
    await anyChange(random)(tx, random)
    if (savepoint && random() < 0.5) await tx`rollback to savepoint s`
    if (random() < 0.3) await tx`select pg_sleep(${random() * 0.05})`
  }
  if (random() < 0.15) throw new Error(ON_PURPOSE)
}

/** Two nodes at a time: the older one ends, and another one begins. */
async function replaceNodes(isOver: () => boolean): Promise<void> {
  const nodes: Mirroring[] = [portal.mirror(), portal.mirror()]
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    await nodes.shift()?.stop()
    nodes.push(portal.mirror())
  }
}

/** The rows of the portal's table as the options of the attachment map them. */
async function mapped(): Promise<readonly string[]> {
  const rows = await portal.sql<
    { id: number; siteId: number | null; name: string; status: string }[]
  >`
    select id, site_id as "siteId", name, status
    from mqtt_mqttconnection
    where deleted_at is null`
  return rows
    .map(({ id, siteId, name, status }) =>
      [`p-${id}`, siteId, name, MEANINGS[status] ?? 'unknown'].join(' '),
    )
    .toSorted()
}

async function mirrored(): Promise<readonly string[]> {
  return (await portal.seen())
    .map(({ id, site_id, name, status }) => [id, site_id, name, status].join(' '))
    .toSorted()
}

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: connections end as the mapped table',
  { timeout: 90_000 },
  async (seed) => {
    await portal.attach({ where: 'deleted_at is null' })
    let over = false
    const nodes = replaceNodes(() => over)
    const committed = await Promise.all(
      Array.from({ length: WRITERS }, (_, i) => write(randomFrom(seed * 31 + i))),
    )
    over = true
    await nodes
    await expect.poll(mirrored, { timeout: 20_000 }).toEqual(await mapped())
    // Otherwise nothing was tried.
    expect(Math.min(...committed)).toBeGreaterThan(TRANSACTIONS / 3)
    const [attachment] = await portal.database.sql`select error, refused_count from attachments`
    expect(attachment).toEqual({ error: null, refused_count: 0 })
  },
)
