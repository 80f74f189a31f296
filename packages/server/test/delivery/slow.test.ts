/** Slow readers and slow proxies, over WebSocket and SSE; other readers lose nothing and wait no longer. */
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { until } from '@mqtt-status/testing/until'
import { afterEach, expect, test } from 'vitest'
import { House, row } from '../http/house.ts'
import { Reader } from './reader.ts'
import { eventStream, websocket } from './wires.ts'

const WIRES = { websocket, eventStream }
const ROWS = 20
/** Every socket of the system together holds some megabytes. */
const BALLAST = 'x'.repeat(100_000)

let house: House
let readers: Reader[] = []

afterEach(async () => {
  for (const reader of readers) reader.disconnect()
  readers = []
  await house.close()
})

function reader(wire: keyof typeof WIRES, url: string): Reader {
  const made = new Reader(wire, WIRES[wire], { token: null, watch: { all: true } })
  made.connect(url)
  readers.push(made)
  return made
}

let revision = 0

/** Everything changes, `times` times, with a breath between. */
async function storm(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const labels = { ballast: BALLAST }
    revision++
    house.publish(Array.from({ length: ROWS }, (_, n) => row(`c${n}`, revision, { labels })))
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}

function isAt(one: Reader, wanted: number): boolean {
  return one.rows.size === ROWS && [...one.rows.values()].every((each) => each.revision === wanted)
}

test.each(['websocket', 'eventStream'] as const)(
  'over %s, the server closes a client that reads nothing for too long, and no other client',
  async (wire) => {
    house = await House.open(undefined, { tooSlowMs: 400, patience: { closeMs: 200 } })
    await storm(1)
    const [stuck, lively] = [reader(wire, house.url), reader(wire, house.url)]
    await until(() => isAt(stuck, revision) && isAt(lively, revision))
    stuck.pause(true)
    await storm(20)
    await until(() => house.hub.size === 1, { what: 'the server to close the slow client' })
    await until(() => house.listening.streams === 1, { what: 'its socket to be cut off' })
    await until(() => isAt(lively, revision))
    expect(lively.faults).toEqual([])
  },
)

test.each(['websocket', 'eventStream'] as const)(
  'over %s, who was slow for a while gets the latest rows and nothing in between, and memory has a bound',
  async (wire) => {
    house = await House.open()
    await storm(1)
    const slow = reader(wire, house.url)
    const lively = reader(wire, house.url)
    await until(() => isAt(slow, revision) && isAt(lively, revision))
    slow.pause(true)
    const before = slow.frames
    await storm(30)
    await until(() => isAt(lively, revision))
    slow.pause(false)
    await until(() => isAt(slow, revision), { what: 'the latest rows' })
    expect(slow.faults).toEqual([])
    // Twenty rows of 100 kB are twenty frames a tick: what did not fit was never sent.
    expect(slow.frames - before).toBeLessThan(lively.frames / 2)
  },
)

test.each(['websocket', 'eventStream'] as const)(
  'over %s a client behind a proxy that buffers has all rows when the proxy sends them',
  async (wire) => {
    house = await House.open()
    await storm(1)
    const proxy = await FaultProxy.start(house.port)
    const far = reader(wire, `http://127.0.0.1:${proxy.port}`)
    await until(() => isAt(far, revision))
    proxy.mode = 'hold'
    await storm(3)
    proxy.mode = 'pass'
    await until(() => isAt(far, revision))
    expect(far.faults).toEqual([])
    far.disconnect()
    await proxy.stop()
    await until(() => house.listening.streams === 0)
  },
)

test('the server closes a socket behind a proxy that buffers without end, like one that is half open', async () => {
  house = await House.open(undefined, {
    heartbeatMs: 200,
    patience: { pongMs: 100, closeMs: 100 },
  })
  await storm(1)
  const proxy = await FaultProxy.start(house.port)
  for (const mode of ['hold', 'drop'] as const) {
    const far = reader('websocket', `http://127.0.0.1:${proxy.port}`)
    await until(() => isAt(far, revision))
    proxy.mode = mode
    await until(() => house.listening.streams === 0, { what: `the end of a socket on ${mode}` })
    proxy.reset()
    proxy.mode = 'pass'
  }
  await proxy.stop()
})
