import { expect, test } from 'vitest'
import { FairQueue } from './fair-queue.ts'
import type { Leave } from './fair-queue.ts'

/** Lets everything enter that may. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** What has entered, in order. */
function crowd(queue: FairQueue): {
  ask: (party: string, count: number) => void
  inside: { party: string; leave: Leave }[]
} {
  const inside: { party: string; leave: Leave }[] = []
  return {
    inside,
    ask(party, count) {
      for (let i = 0; i < count; i++)
        void queue.enter(party).then((leave) => {
          if (leave !== null) inside.push({ party, leave })
        })
    },
  }
}

test('a party with many waiters leaves one place for another party, and takes all others', async () => {
  const queue = new FairQueue({ places: 4 })
  const { ask, inside } = crowd(queue)
  ask('a', 500)
  await settle()
  expect(inside.map(({ party }) => party)).toEqual(['a', 'a', 'a'])
  ask('b', 1)
  await settle()
  expect(inside.at(-1)?.party).toBe('b')
  expect(queue.taken).toBe(4)
})

test('parties take turns, however many wait for each', async () => {
  const queue = new FairQueue({ places: 1 })
  const { ask, inside } = crowd(queue)
  ask('a', 100)
  await settle()
  ask('b', 2)
  ask('c', 1)
  for (let i = 0; i < 6; i++) {
    inside.at(-1)?.leave()
    await settle()
  }
  expect(inside.map(({ party }) => party).join('')).toBe('aabcaba')
})

test.each([1, 2, 3, 7])(
  'of %i places never more are taken, nor by one party more than its part',
  async (places) => {
    const perParty = Math.max(1, places - 1)
    const queue = new FairQueue({ places })
    const { ask, inside } = crowd(queue)
    for (const party of ['a', 'b', 'c']) ask(party, 50)
    const open = new Map<string, number>()
    for (let done = 0; done < 150;) {
      await settle()
      open.clear()
      for (const { party } of inside.slice(done)) open.set(party, (open.get(party) ?? 0) + 1)
      expect(queue.taken).toBe(inside.length - done)
      expect(queue.taken).toBeLessThanOrEqual(places)
      for (const held of open.values()) expect(held).toBeLessThanOrEqual(perParty)
      inside[done++]?.leave()
    }
    expect(queue.isIdle).toBe(true)
  },
)

test('a place is given back once, and the queue drops a waiter whose signal is aborted', async () => {
  const queue = new FairQueue({ places: 1 })
  const leave = await queue.enter('a')
  const controller = new AbortController()
  const waiting = queue.enter('b', controller.signal)
  controller.abort()
  expect(await waiting).toBeNull()
  expect(await queue.enter('b', controller.signal)).toBeNull()
  leave?.()
  leave?.()
  expect(queue.taken).toBe(0)
  expect(queue.isIdle).toBe(true)
})
