/** The store of a page, without network: what a snapshot, a change and a listener cost, beside a plain Map and Set. */
import { parseArgs } from 'node:util'
import type { Connection, ServerMessage } from '@mqtt-status/protocol'
import { connection } from '@mqtt-status/testing/connection'
import { welcome } from '@mqtt-status/testing/welcome'
import { createClient } from '../packages/widgets/src/client/index.ts'
import type { TransportListener } from '../packages/widgets/src/client/index.ts'
import { percentile, printMachine, printTable } from './table.ts'

const USAGE = `Usage: node bench/client.ts [options]
  --rows <n>      rows that are known (default 10000)
  --changes <n>   single changes that are applied (default 20000)
  --rounds <n>    the median of so many runs is printed (default 7)`

/** About as many as fit into the 64 KiB of a frame. */
const PAGE = 160

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000' },
    changes: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '7' },
    help: { type: 'boolean', default: false },
  },
})

function row(index: number, revision: number): Connection {
  return connection({
    id: `plant-${index}`,
    siteId: `site-${index % 50}`,
    name: `Impianto ${index}`,
    revision,
    desiredAt: '2026-11-23T19:00:00.000Z',
    status: revision % 2 === 0 ? 'connected' : 'reconnecting',
  })
}

function pagesOf(count: number): string[] {
  const pages: string[] = []
  for (let start = 0; start < count; start += PAGE) {
    const length = Math.min(PAGE, count - start)
    const final = start + PAGE >= count
    pages.push(
      JSON.stringify({
        type: 'snapshot',
        id: 1,
        connections: Array.from({ length }, (_, i) => row(start + i, 1)),
        missing: [],
        final,
        ...(final && { cursor: 'e.1.s' }),
        now: '2026-11-23T19:00:00.000Z',
      } satisfies ServerMessage),
    )
  }
  return pages
}

function changesOf(count: number, rows: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      type: 'patch',
      connections: [row((i * 7_919) % rows, i + 2)],
      removed: [],
      missing: [],
      cursor: `e.${i}.s`,
    } satisfies ServerMessage),
  )
}

/** What both sides have to be able to do. */
interface Store {
  hear(text: string): void
  listen(id: string, listener: () => void): void
  close(): void
}

async function ours(): Promise<Store> {
  let listener: TransportListener | undefined
  const client = createClient(
    { src: 'http://bench.test' },
    {
      open: (_src, opened) => {
        listener = opened
        return { send: () => true, close: () => undefined }
      },
    },
  )
  client.watch({ all: true }, () => undefined)
  while (listener === undefined) await Promise.resolve()
  listener.onOpen()
  const { onMessage } = listener
  onMessage(JSON.stringify(welcome()))
  return {
    hear: onMessage,
    listen: (id, listener) => client.connection(id).subscribe(listener),
    close: () => {
      client.close()
    },
  }
}

/** The least that does it: no revisions, no removals, no link. */
function plain(): Store {
  const rows = new Map<string, Connection>()
  const listeners = new Map<string, Set<() => void>>()
  return {
    hear: (text) => {
      const message = JSON.parse(text) as { connections: Connection[] }
      for (const one of message.connections) {
        rows.set(one.id, one)
        for (const listener of listeners.get(one.id) ?? []) listener()
      }
    },
    listen: (id, listener) => {
      const all = listeners.get(id) ?? new Set()
      listeners.set(id, all.add(listener))
      listener()
    },
    close: () => undefined,
  }
}

interface Costs {
  snapshotMs: number[]
  changeUs: number[]
  listenerBytes: number[]
  listenUs: number[]
  heardUs: number[]
}

const LISTENERS = 5_000

async function measure(open: () => Store | Promise<Store>, costs: Costs): Promise<void> {
  const rows = Number(values.rows)
  const pages = pagesOf(rows)
  const changes = changesOf(Number(values.changes), rows)
  const store = await open()
  costs.snapshotMs.push(
    timed(() => {
      for (const page of pages) store.hear(page)
    }),
  )
  const half = changes.length / 2
  const early = timed(() => {
    for (const change of changes.slice(0, half)) store.hear(change)
  })
  costs.changeUs.push((early * 1_000) / half)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  let heard = 0
  const listened = timed(() => {
    for (let i = 0; i < LISTENERS; i++) store.listen(`plant-${i % rows}`, () => heard++)
  })
  costs.listenUs.push((listened * 1_000) / LISTENERS)
  await Promise.resolve()
  globalThis.gc?.()
  costs.listenerBytes.push((process.memoryUsage().heapUsed - before) / LISTENERS)
  const late = timed(() => {
    for (const change of changes.slice(half)) store.hear(change)
  })
  costs.heardUs.push((late * 1_000) / half)
  if (heard < LISTENERS) throw new Error('A listener was not called')
  store.close()
}

function timed(work: () => void): number {
  const began = performance.now()
  work()
  return performance.now() - began
}

async function main(): Promise<void> {
  const sides = { 'mqtt-status client': ours, 'plain Map and Set': plain }
  const table = []
  for (const [name, open] of Object.entries(sides)) {
    const costs: Costs = {
      snapshotMs: [],
      changeUs: [],
      listenUs: [],
      listenerBytes: [],
      heardUs: [],
    }
    // The first round warms up.
    for (let round = 0; round <= Number(values.rounds); round++) await measure(open, costs)
    const median = (all: number[]): number | null => percentile(all.slice(1), 0.5)
    const changeUs = median(costs.changeUs)
    table.push([
      name,
      median(costs.snapshotMs),
      changeUs,
      changeUs === null ? null : changeUs / 10,
      median(costs.listenUs),
      median(costs.listenerBytes),
      median(costs.heardUs),
    ])
  }
  printMachine(null)
  console.log(
    `${values.rows} rows; ${values.changes} changes, one in a frame; ${LISTENERS} listeners\n`,
  )
  printTable(
    [
      'store',
      'snapshot ms',
      'µs per change, without a listener',
      '% of a core at 1,000/s',
      'µs to listen',
      'bytes per listener',
      'µs per change, half with a listener',
    ],
    table,
  )
}

if (values.help) console.log(USAGE)
else await main()
