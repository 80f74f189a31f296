/** Up, lost and back, with the broker and the database in processes of their own. */
import { existsSync } from 'node:fs'
import { freePort } from '@mqtt-status/testing/free-port'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { until } from '@mqtt-status/testing/until'
import type { BenchDatabase } from '../database.ts'
import type { Reading } from '../gauge.ts'
import { Gauged } from '../gauged.ts'
import { nowMs } from '../marker.ts'
import type { MqttJsState } from '../peers/mqttjs.ts'
import { delay } from '../process.ts'
import { percentile, say } from '../table.ts'

export interface Outage {
  readonly name: string
  readonly upS: number
  readonly upStallMs: number
  readonly rssKiB: number
  readonly heapKiB: number
  readonly dialsGone: number
  readonly dialsPerSecond: number
  readonly lostStallMs: number
  readonly backP50S: number | null
  readonly backP95S: number | null
  readonly backLastS: number | null
  readonly backStallMs: number
  readonly cpuS: number
}

export interface OutageOptions {
  readonly count: number
  readonly goneMs: number
}

/** What is measured: after one command to connect it keeps its connections. */
export interface Subject {
  readonly name: string
  readonly process: Gauged
  /**
   * Connects the first so many, besides those that are.
   *
   * @returns when the command was given, in ms of the wall clock
   */
  connect(count: number): Promise<number>
  connected(): Promise<number>
  /** When each connection came up, in ms of the wall clock. */
  upAtMs(): Promise<number[]>
}

const PATIENCE_MS = 180_000
const MAIN = new URL('../../packages/server/dist/main.js', import.meta.url).pathname
const PEER = new URL('../peers/mqttjs.ts', import.meta.url).pathname

export function measureOurs(database: BenchDatabase, options: OutageOptions): Promise<Outage> {
  return measure(options, ({ port }) => startServer(database, { count: options.count, port }))
}

/** The built server, as an operator runs it, with so many rows whose `desired` is `disconnected`. */
export async function startServer(
  database: BenchDatabase,
  { count, port }: { readonly count: number; readonly port: number },
): Promise<Subject> {
  if (!existsSync(MAIN)) throw new Error('Build it first: node scripts/build.ts')
  await fill(database, count, port)
  const http = await freePort()
  const server = Gauged.start(MAIN, ['serve'], {
    DATABASE_URL: database.url,
    PORT: String(http),
    LOG_LEVEL: 'warn',
    MQTT_ALLOW_CIDRS: '127.0.0.0/8',
    MQTT_ALLOW_PORTS: String(port),
  })
  await until(async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok, {
    timeoutMs: PATIENCE_MS,
    what: 'the server to be ready',
  })
  return ours(database, server)
}

export function measureMqttJs(options: OutageOptions): Promise<Outage> {
  return measure(options, async (broker) => {
    const peer = Gauged.start(PEER, [], {})
    await peer.gauge('reset')
    return mqttJs(peer, broker.port)
  })
}

/** Memory is the slope between half of them and all, since a heap that has worked once stays larger. */
async function measure(
  options: OutageOptions,
  start: (broker: Mosquitto) => Promise<Subject>,
): Promise<Outage> {
  const { count } = options
  const broker = await Mosquitto.start({ quiet: true })
  try {
    const sample = await start(broker)
    say(`${sample.name}: memory of ${count} connections`)
    const readings: Reading[] = []
    for (const part of [count / 2, count]) {
      await sample.connect(part)
      await until(async () => (await sample.connected()) === part, {
        timeoutMs: PATIENCE_MS,
        what: 'all to be up',
      })
      readings.push(await sample.process.memory())
    }
    await sample.process.stop()
    const [half, full] = readings
    const subject = await start(broker)
    try {
      return {
        ...(await outage(subject, broker, options)),
        rssKiB: slope(half?.rssKiB, full?.rssKiB, count / 2),
        heapKiB: slope(half?.heapKiB, full?.heapKiB, count / 2),
      }
    } finally {
      await subject.process.stop()
    }
  } finally {
    await broker.stop()
  }
}

function slope(from: number | undefined, to: number | undefined, count: number): number {
  return ((to ?? 0) - (from ?? 0)) / count
}

function mqttJs(peer: Gauged, port: number): Subject {
  const ask = (message: Record<string, unknown>): Promise<MqttJsState> =>
    peer.ask<MqttJsState>(message, 'connections')
  return {
    name: 'MQTT.js, its own reconnect',
    process: peer,
    async connect(count) {
      const at = nowMs()
      await ask({ start: { port, count } })
      return at
    },
    connected: async () => (await ask({ state: true })).connected,
    upAtMs: async () => [...(await ask({ state: true })).atMs],
  }
}

/** One statement commands all rows, as a portal would; the table says how many are up. */
function ours({ sql }: BenchDatabase, server: Gauged): Subject {
  return {
    name: 'mqtt-status, recorded in Postgres',
    process: server,
    async connect(count) {
      const at = nowMs()
      await sql`
        update connections
        set desired = 'connected', generation = generation + 1
        where desired = 'disconnected' and substr(id, 2)::int < ${count}`
      return at
    },
    async connected() {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count
        from connections
        where status = 'connected' and observed_generation = generation and subscriptions_ok
          and owner_id is not null`
      return row?.count ?? 0
    },
    async upAtMs() {
      const rows = await sql<{ at: number }[]>`
        select (extract(epoch from since) * 1000)::float8 as at from connections`
      return rows.map(({ at }) => at)
    },
  }
}

async function outage(
  subject: Subject,
  broker: Mosquitto,
  { count, goneMs }: OutageOptions,
): Promise<Omit<Outage, 'rssKiB' | 'heapKiB'>> {
  const { process: gauged, name } = subject
  const all = (): Promise<boolean> => subject.connected().then((n) => n === count)
  say(`${name}: ${count} connections`)
  await gauged.gauge('collect')
  await gauged.gauge('reset')
  const cpuBeforeMs = gauged.cpuMs
  const toldMs = await subject.connect(count)
  await until(all, { timeoutMs: PATIENCE_MS, what: 'all to be up' })
  const upS = (Math.max(...(await subject.upAtMs())) - toldMs) / 1_000
  const up = await gauged.gauge('read')

  say(`${name}: the broker is gone for ${goneMs / 1_000} s`)
  await gauged.gauge('reset')
  await broker.kill()
  await delay(goneMs)
  const lost = await gauged.gauge('read')
  await gauged.gauge('reset')
  await broker.restart()
  const backMs = nowMs()
  await until(all, { timeoutMs: PATIENCE_MS, what: 'all to be back' })
  const took = (await subject.upAtMs()).map((at) => (at - backMs) / 1_000)
  const back = await gauged.gauge('read')
  return {
    name,
    upS,
    upStallMs: up.stallMs,
    dialsGone: lost.dials,
    dialsPerSecond: lost.dialsPerSecond,
    lostStallMs: lost.stallMs,
    backP50S: percentile(took, 0.5),
    backP95S: percentile(took, 0.95),
    backLastS: percentile(took, 1),
    backStallMs: back.stallMs,
    cpuS: (gauged.cpuMs - cpuBeforeMs) / 1_000,
  }
}

async function fill({ sql }: BenchDatabase, count: number, port: number): Promise<void> {
  await sql`delete from connections`
  await sql`
    insert into connections (id, site_id, name, host, port, topics)
    select 'c' || i, 's' || (i / 100), 'Connection ' || i, '127.0.0.1', ${port}::int,
      jsonb_build_array('plant/' || i || '/#')
    from generate_series(0, ${count - 1}::int) i`
  await sql`vacuum analyze connections`
}
