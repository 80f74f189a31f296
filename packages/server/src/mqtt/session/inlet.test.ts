import { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Inlet } from './inlet.ts'

/** The network: it reads what a test lets it read. */
class Network extends Duplex {
  readonly written: Buffer[] = []
  isRead = true
  #waiting: (() => void) | null = null

  override _read(): void {
    // A test pushes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.written.push(chunk)
    if (this.isRead) callback()
    else this.#waiting = callback
  }

  readAll(): void {
    this.isRead = true
    this.#waiting?.()
  }
}

const PINGRESP = Buffer.from([0xd0, 0])
const TOO_LARGE = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** What arrives may wait for a few turns of the event loop. */
async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

function opened(saysWhy = true): { network: Network; inlet: Inlet; got: Buffer[]; ends: string[] } {
  const network = new Network()
  const inlet = new Inlet(network, saysWhy)
  const got: Buffer[] = []
  const ends: string[] = []
  inlet.on('data', (chunk: Buffer) => got.push(chunk))
  inlet.on('error', (error) => ends.push(error.message))
  inlet.on('close', () => ends.push('closed'))
  return { network, inlet, got, ends }
}

test('bytes, the end and an error pass in both directions', async () => {
  const { network, inlet, got, ends } = opened()
  network.push(PINGRESP)
  inlet.write('ab')
  inlet.end('c')
  await turn()
  expect(Buffer.concat(got)).toEqual(PINGRESP)
  expect(Buffer.concat(network.written).toString()).toBe('abc')
  network.push(null)
  await turn()
  expect(ends).toEqual(['closed'])
  const other = opened()
  other.network.destroy(new Error('reset'))
  await turn()
  expect(other.ends).toEqual(['reset', 'closed'])
  const closed = opened()
  closed.network.destroy()
  await turn()
  expect(closed.ends).toEqual(['closed'])
})

test('what arrived before the network closed is handed over', async () => {
  const { network, got, ends } = opened()
  network.push(Buffer.concat(Array.from({ length: 1_000 }, () => PINGRESP)))
  network.push(null)
  await vi.waitFor(() => {
    expect(ends).toEqual(['closed'])
  })
  expect(Buffer.concat(got)).toHaveLength(2_000)
})

test('nothing is read while the broker reads nothing, and after 10 s the session ends', async () => {
  const { network, inlet, got, ends } = opened()
  network.isRead = false
  inlet.write(Buffer.alloc(1024 * 1024))
  await turn()
  network.push(PINGRESP)
  await turn()
  expect(got).toEqual([])
  vi.advanceTimersByTime(9_999)
  expect(ends).toEqual([])
  vi.advanceTimersByTime(1)
  await turn()
  expect(ends).toEqual(['The broker has read nothing of what this server sent for 10 s.', 'closed'])
})

test('when the broker reads again, the server does too', async () => {
  const { network, inlet, got, ends } = opened()
  network.isRead = false
  inlet.write(Buffer.alloc(1024 * 1024))
  network.push(PINGRESP)
  await turn()
  vi.advanceTimersByTime(9_000)
  network.readAll()
  await turn()
  vi.advanceTimersByTime(9_000)
  expect(Buffer.concat(got)).toEqual(PINGRESP)
  expect(ends).toEqual([])
})

test('in MQTT 5 a DISCONNECT says why, and the connection closes after 1 s; in 3.1.1 it closes at once', async () => {
  const five = opened()
  five.network.push(TOO_LARGE)
  await turn()
  expect(five.ends[0]).toContain('a packet of 268435460 bytes')
  expect(Buffer.concat(five.network.written)).toEqual(Buffer.from([0xe0, 1, 149]))
  expect(five.network.destroyed).toBe(false)
  vi.advanceTimersByTime(1_000)
  expect(five.network.destroyed).toBe(true)
  const three = opened(false)
  three.network.push(TOO_LARGE)
  await turn()
  expect(three.network.written).toEqual([])
  expect(three.network.destroyed).toBe(true)
})
