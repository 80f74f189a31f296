import { expect, test } from 'vitest'
import { RoundRobin } from './round-robin.ts'

const ANY = (): boolean => true

function drain(waiting: RoundRobin<string>, may: (party: string) => boolean = ANY): string[] {
  const order: string[] = []
  for (let next = waiting.take(may); next !== null; next = waiting.take(may)) order.push(next.item)
  return order
}

test('parties take turns, and the items of one keep their order', () => {
  const waiting = new RoundRobin<string>()
  for (const item of ['a1', 'a2', 'a3', 'a4']) waiting.add('a', item)
  for (const item of ['b1', 'b2']) waiting.add('b', item)
  waiting.add('c', 'c1')
  expect(drain(waiting)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  expect(waiting.size).toBe(0)
})

test('a party without permission is skipped and keeps its turn', () => {
  const waiting = new RoundRobin<string>()
  waiting.add('a', 'a1')
  waiting.add('b', 'b1')
  waiting.add('b', 'b2')
  expect(drain(waiting, (party) => party === 'b')).toEqual(['b1', 'b2'])
  expect(waiting.take(ANY)).toEqual({ party: 'a', item: 'a1' })
})

test('deleted items are not taken, and clear takes all items', () => {
  const waiting = new RoundRobin<string>()
  for (const item of ['a1', 'a2']) waiting.add('a', item)
  waiting.delete('a', 'a1')
  waiting.delete('a', 'a1')
  waiting.delete('b', 'b1')
  expect(waiting.size).toBe(1)
  waiting.add('b', 'b1')
  expect(waiting.clear()).toEqual(['a2', 'b1'])
  expect(waiting.size).toBe(0)
  expect(waiting.take(ANY)).toBeNull()
})
