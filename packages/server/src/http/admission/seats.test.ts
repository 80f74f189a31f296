import { expect, test } from 'vitest'
import { Seats } from './seats.ts'
import type { Occupant } from './seats.ts'

test('each key has as many places as the limit', () => {
  const seats = new Seats(2)
  expect(seats.take('a')).not.toBeNull()
  const leave = seats.take('a')
  expect(seats.take('a')).toBeNull()
  expect(seats.take('b')).not.toBeNull()
  leave?.()
  expect(seats.take('a')).not.toBeNull()
})

test('a second call gives no second place back', () => {
  const seats = new Seats(2)
  const first = seats.take('a')
  seats.take('a')
  first?.()
  first?.()
  expect(seats.take('a')).not.toBeNull()
  expect(seats.take('a')).toBeNull()
})

test('0 is no limit, and a key without a place takes no memory', () => {
  const seats = new Seats(0)
  const leaves = Array.from({ length: 1_000 }, () => seats.take('a'))
  expect(leaves).not.toContain(null)
  for (const leave of leaves) leave?.()
  expect(seats.size).toBe(0)
})

/** An occupant that proves what a test sets, and counts the calls. */
class Sitter implements Occupant {
  asked = 0
  terminated = false
  readonly #kind: 'alive' | 'dead' | 'yielding'

  constructor(kind: 'alive' | 'dead' | 'yielding') {
    this.#kind = kind
  }

  prove(): Promise<boolean> {
    this.asked += 1
    return Promise.resolve(this.#kind !== 'dead')
  }

  yield(): boolean {
    return this.#kind === 'yielding'
  }

  terminate(): void {
    this.terminated = true
  }
}

const living = (): Sitter => new Sitter('alive')
const dead = (): Sitter => new Sitter('dead')
const yielding = (): Sitter => new Sitter('yielding')

test.each([
  ['all occupants are alive', [living(), living()], false, []],
  ['one is dead', [living(), dead()], true, [1]],
  ['all are dead', [dead(), dead()], true, [0, 1]],
  ['a living stream can return', [living(), yielding()], true, []],
  ['one is dead and a living stream can return', [yielding(), dead()], true, [1]],
  ['one is still in its handshake', [living(), null], false, []],
] as const)(
  'a claim of a key without a free place: %s',
  async (...[, occupants, admitted, terminated]) => {
    const seats = new Seats(occupants.length)
    for (const occupant of occupants) seats.take('a', { occupant })
    expect((await seats.claim('a', { occupant: null }, 100)) !== null).toBe(admitted)
    expect(occupants.flatMap((one, i) => (one?.terminated === true ? [i] : []))).toEqual(terminated)
  },
)

test('claims at the same time wait for the same proofs, and take no more places than the limit', async () => {
  const seats = new Seats(3)
  const sitters = [living(), dead(), dead()]
  for (const occupant of sitters) seats.take('a', { occupant })
  const places = await Promise.all(
    Array.from({ length: 10 }, () => seats.claim('a', { occupant: null }, 100)),
  )
  expect(places.filter((place) => place !== null)).toHaveLength(2)
  expect(sitters.map(({ asked }) => asked)).toEqual([1, 1, 1])
})
