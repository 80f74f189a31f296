/**
 * The hub alone, with readers that take what they are given when it suits them: whatever the order of changes, full
 * buffers, new tokens and reconnects, each reader ends with what it may see, and every cursor keeps its promise.
 */
import type { Connection } from '@mqtt-status/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Frame } from '../../src/hub/frames.ts'
import { Hub } from '../../src/hub/hub.ts'
import type { HubScope, Sink, Subscriber } from '../../src/hub/hub.ts'
import { createLog } from '../../src/log.ts'
import { row } from '../http/house.ts'
import { Reader } from './reader.ts'
import type { Wire } from './reader.ts'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']
/** Three rows of this size fill a page. */
const BALLAST = { ballast: 'x'.repeat(20_000) }
/** As if each frame were this large, a sink has room for three. */
const FRAME_BYTES = 100_000

const SCOPES: readonly HubScope[] = [
  { key: 'all', control: true, permits: () => true },
  { key: 'looks', control: false, permits: () => true },
  { key: 's1', control: false, permits: (_, siteId) => siteId === 's1' },
]
const WATCHES = [{ all: true }, { sites: ['s1'], connections: ['a', 'b'] }]

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  expect(vi.getTimerCount(), 'timers left').toBe(0)
  vi.useRealTimers()
})

/** A database of our own, and the hub that reads it. */
class World {
  readonly rows = new Map<string, Connection>()
  readonly hub = new Hub({
    read: () => Promise.resolve(),
    tickMs: 50,
    log: createLog({ level: 'silent', format: 'json' }),
  })
  #revision = 0
  #mark = 100n

  constructor() {
    this.#publish([], [])
  }

  set(id: string, siteId: string): void {
    const former = this.rows.get(id)
    const stones =
      former === undefined || former.siteId === siteId ? [] : [this.#stone(id, former.siteId)]
    const next = row(id, ++this.#revision, { siteId, labels: BALLAST })
    this.rows.set(id, next)
    this.#publish([next], stones)
  }

  delete(id: string): void {
    const former = this.rows.get(id)
    this.rows.delete(id)
    if (former !== undefined) this.#publish([], [this.#stone(id, former.siteId)])
  }

  #stone(id: string, siteId: string): { id: string; siteId: string; revision: number } {
    return { id, siteId, revision: ++this.#revision }
  }

  #publish(rows: Connection[], stones: { id: string; siteId: string; revision: number }[]): void {
    const changed = this.#mark
    this.#mark += 1n
    this.hub.publish({
      kind: 'changes',
      epoch: 'e1',
      mark: this.#mark,
      floor: 0n,
      rows: rows.map((connection) => ({ connection, changed })),
      tombstones: stones.map((stone) => ({ ...stone, changed })),
    })
  }
}

/** A reader on a wire that holds frames until they are taken. */
class Party {
  readonly reader: Reader
  scope: HubScope
  readonly #watch: (typeof WATCHES)[number]
  #subscriber: Subscriber | null = null
  #held: Frame[] = []
  #taking = true
  #deliver: (frame: Frame) => void = () => undefined

  constructor(world: World, index: number) {
    this.scope = SCOPES[index % SCOPES.length] as HubScope
    this.#watch = WATCHES[Math.floor(index / SCOPES.length)] as (typeof WATCHES)[number]
    const wire: Wire = ({ watch, onFrame }) => {
      const held: Frame[] = []
      this.#held = held
      const sink: Sink = {
        send: (frame) => {
          if (this.#taking) this.#deliver(frame)
          else held.push(frame)
        },
        get bufferedBytes() {
          return held.length * FRAME_BYTES
        },
        close: () => undefined,
      }
      this.#deliver = (frame) => {
        onFrame(JSON.parse(frame.json) as Parameters<typeof onFrame>[0], frame.json.length)
      }
      const subscriber = world.hub.subscribe(sink, this.scope)
      this.#subscriber = subscriber
      subscriber.watch({ id: 1, ...watch })
      return {
        close: () => {
          subscriber.close()
        },
        pause: () => undefined,
      }
    }
    this.reader = new Reader(`reader ${index}`, wire, { token: null, watch: this.#watch })
    this.reader.connect('')
  }

  /** Takes one frame that is held, or all. */
  take(all: boolean): void {
    for (const frame of this.#held.splice(0, all ? this.#held.length : 1)) this.#deliver(frame)
    this.#subscriber?.drained()
  }

  stuff(): void {
    this.#taking = false
  }

  unstuff(): void {
    while (this.#held.length > 0) this.take(true)
    this.#taking = true
    this.#subscriber?.drained()
  }

  ping(): void {
    this.#subscriber?.ping()
  }

  rescope(scope: HubScope): void {
    this.scope = scope
    this.#subscriber?.rescope(scope)
  }

  sees({ id, siteId }: Connection): boolean {
    const {
      all = false,
      sites = [],
      connections = [],
    } = this.#watch as {
      all?: boolean
      sites?: string[]
      connections?: string[]
    }
    const named = all || sites.includes(siteId) || connections.includes(id)
    return named && this.scope.permits(id, siteId)
  }
}

const id = fc.constantFrom(...IDS)
const reader = fc.nat({ max: SCOPES.length * WATCHES.length - 1 })
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('set'), id, site: fc.constantFrom('s1', 's2') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(0, 10, 60) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('stuff'), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unstuff'), reader }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take'), reader }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reconnect'), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ping'), reader }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rescope'), reader, scope: fc.constantFrom(...SCOPES) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function act(world: World, parties: readonly Party[], it: Step): Promise<void> {
  const party = 'reader' in it ? parties[it.reader] : undefined
  if ('site' in it) world.set(it.id, it.site)
  else if ('id' in it) world.delete(it.id)
  else if ('ms' in it) await vi.advanceTimersByTimeAsync(it.ms)
  else if ('scope' in it) party?.rescope(it.scope)
  else if (it.do === 'stuff') party?.stuff()
  else if (it.do === 'unstuff') party?.unstuff()
  else if (it.do === 'take') party?.take(false)
  else if (it.do === 'ping') party?.ping()
  else party?.reader.connect('')
}

function check(world: World, parties: readonly Party[], when: string): void {
  for (const party of parties) {
    const { reader } = party
    const expected = [...world.rows.values()].filter((one) => party.sees(one))
    const seen = expected.map((one) => [
      one.id,
      one.revision,
      party.scope.control ? one.detail : null,
    ])
    const heard = Array.from(reader.rows.values(), (one) => [one.id, one.revision, one.detail])
    expect(heard.toSorted(), `${reader.name} ${when}`).toEqual(seen.toSorted())
    expect(reader.faults, reader.name).toEqual([])
  }
}

test('every subscriber ends with the rows that it may see, and can resume from every cursor', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = new World()
      for (const each of IDS) world.set(each, 's1')
      const parties = Array.from(
        { length: SCOPES.length * WATCHES.length },
        (_, index) => new Party(world, index),
      )
      try {
        for (const it of steps) await act(world, parties, it)
        for (const party of parties) party.unstuff()
        await vi.advanceTimersByTimeAsync(60)
        check(world, parties, 'in the end')
        for (const { reader } of parties) reader.connect('')
        await vi.advanceTimersByTimeAsync(60)
        check(world, parties, 'after it came back')
      } finally {
        for (const { reader } of parties) reader.disconnect()
        world.hub.stop()
      }
      expect([world.hub.size, world.hub.watchCount]).toEqual([0, 0])
    }),
    { numRuns: Number(process.env['RUNS'] ?? 2) * 500 },
  )
})
