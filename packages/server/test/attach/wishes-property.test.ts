/**
 * Clicks and the portal's own writes of its wish column, in any order, while nodes come and go: in the end each connection
 * has the wish of the portal's row, every click is handed over, and the last writer of a row has won.
 *
 * `SEED=…` repeats a run, `RUNS=20` makes twenty.
 */
import { pick, randomFrom } from '@mqtt-status/testing/random'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Mirroring } from '../../src/attach/mirroring.ts'
import { DESIRED, Portal } from './portal.ts'

const RUNS = Number(process.env['RUNS'] ?? 2)
const FIRST_SEED = Number(process.env['SEED'] ?? 20_261_201)
const ROWS = 12
const CLICKERS = 3
const CLICKS = 40
const WRITERS = 4
const WRITES = 40
const ON_PURPOSE = 'rolled back on purpose'

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

const keyOf = (random: () => number): number => 1 + Math.floor(random() * ROWS)

async function click(random: () => number): Promise<void> {
  for (let i = 0; i < CLICKS; i++) {
    const action = pick(random, ['connect', 'disconnect'] as const)
    const result = await portal.click(`p-${keyOf(random)}`, action)
    expect(result.kind).toBe('accepted')
    if (random() < 0.3) await portal.sql`select pg_sleep(${random() * 0.03})`
  }
}

/** Transactions of the portal: wishes of its own, statuses, pauses, rollbacks. */
async function write(random: () => number): Promise<void> {
  for (let i = 0; i < WRITES; i++) {
    await portal.sql
      .begin(async (tx) => {
        const id = keyOf(random)
        if (random() < 0.7)
          await tx`update mqtt_mqttconnection set enabled = ${random() < 0.5} where id = ${id}`
        if (random() < 0.5)
          await tx`
            update mqtt_mqttconnection
            set status = ${pick(random, ['connected', 'pending', 'error', 'disconnected'])}
            where id = ${id}`
        if (random() < 0.3) await tx`select pg_sleep(${random() * 0.05})`
        if (random() < 0.15) throw new Error(ON_PURPOSE)
      })
      .catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== ON_PURPOSE) throw error
      })
  }
}

/** Two nodes at a time: the older one ends, and another one begins. */
async function replaceNodes(isOver: () => boolean): Promise<void> {
  const nodes: Mirroring[] = [portal.mirror(), portal.mirror()]
  while (!isOver()) {
    await portal.sql`select pg_sleep(0.3)`
    await nodes.shift()?.stop()
    nodes.push(portal.mirror())
  }
}

/** The wish of each row in the portal, and that of its connection; and whether a click is not handed over. */
async function rows(): Promise<readonly { wished: string; desired: string; open: boolean }[]> {
  const found = await portal.database.sql<{ wished: string; desired: string; open: boolean }[]>`
    select case when t.enabled then 'connected' else 'disconnected' end as wished,
      c.desired,
      c.generation > c.attachment_generation as open
    from public.mqtt_mqttconnection t
    join connections c on c.id = 'p-' || t.id
    order by t.id`
  return [...found]
}

async function converges(): Promise<readonly string[]> {
  await until(
    async () => (await rows()).every(({ wished, desired, open }) => wished === desired && !open),
    { what: 'all wishes to agree', timeoutMs: 30_000 },
  )
  return (await rows()).map(({ desired }) => desired)
}

test.each(Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i))(
  'seed %i: connections and the portal agree on every wish',
  { timeout: 90_000 },
  async (seed) => {
    await portal.sql`
      insert into mqtt_mqttconnection (id, site_id, name, status)
      select i, 1, 'N' || i, 'connected' from generate_series(1, ${ROWS}) i`
    await portal.attach({}, ...DESIRED)
    let over = false
    const nodes = replaceNodes(() => over)
    await Promise.all([
      ...Array.from({ length: CLICKERS }, (_, i) => click(randomFrom(seed * 31 + i))),
      ...Array.from({ length: WRITERS }, (_, i) => write(randomFrom(seed * 37 + i))),
    ])
    over = true
    await nodes
    await converges()
    // Now each row has one more writer, and there is no doubt which one was last.
    const random = randomFrom(seed)
    const expected: string[] = []
    for (let id = 1; id <= ROWS; id++) {
      const wish = pick(random, ['connected', 'disconnected'] as const)
      expected.push(wish)
      if (random() < 0.5)
        await portal.click(`p-${id}`, wish === 'connected' ? 'connect' : 'disconnect')
      else
        await portal.sql`update mqtt_mqttconnection set enabled = ${wish === 'connected'} where id = ${id}`
    }
    expect(await converges()).toEqual(expected)
    const [attachment] = await portal.database.sql`
      select error, wish_error, refused_count from attachments`
    expect(attachment).toEqual({ error: null, wish_error: null, refused_count: 0 })
  },
)
