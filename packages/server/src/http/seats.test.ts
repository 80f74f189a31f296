import { expect, test } from 'vitest'
import { Seats } from './seats.ts'

test('as many places as there are, each key for itself', () => {
  const seats = new Seats(2)
  expect(seats.take('a')).not.toBeNull()
  const leave = seats.take('a')
  expect(seats.take('a')).toBeNull()
  expect(seats.take('b')).not.toBeNull()
  leave?.()
  expect(seats.take('a')).not.toBeNull()
})

test('a place is given back once, however often it is said', () => {
  const seats = new Seats(2)
  const first = seats.take('a')
  seats.take('a')
  first?.()
  first?.()
  expect(seats.take('a')).not.toBeNull()
  expect(seats.take('a')).toBeNull()
})

test('0 is no limit, and nothing is kept of who has left', () => {
  const seats = new Seats(0)
  const leaves = Array.from({ length: 1_000 }, () => seats.take('a'))
  expect(leaves).not.toContain(null)
  for (const leave of leaves) leave?.()
  expect(seats.size).toBe(0)
})
