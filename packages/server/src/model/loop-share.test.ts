import { expect, test } from 'vitest'
import { LoopShare } from './loop-share.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('slices run at once while the turn has time, and then one turn after the other, in the order of the calls', async () => {
  let nowMs = 0
  const share = new LoopShare(5, () => nowMs)
  const ran: number[] = []
  for (let i = 0; i < 6; i++) {
    share.run(() => {
      ran.push(i)
      nowMs += 3
    })
  }
  expect(ran).toEqual([0, 1])
  await turn()
  expect(ran).toEqual([0, 1, 2, 3])
  await turn()
  expect(ran).toEqual([0, 1, 2, 3, 4, 5])
})

test('a slice that is asked for while others wait runs after them', async () => {
  let nowMs = 0
  const share = new LoopShare(5, () => nowMs)
  const ran: string[] = []
  share.run(() => (nowMs += 10))
  share.run(() => ran.push('waited'))
  setImmediate(() => {
    share.run(() => ran.push('came later'))
  })
  await turn()
  await turn()
  expect(ran).toEqual(['waited', 'came later'])
})

test('a new turn has all of its time again', async () => {
  let nowMs = 0
  const share = new LoopShare(5, () => nowMs)
  share.run(() => (nowMs += 100))
  await turn()
  let ran = false
  share.run(() => (ran = true))
  expect(ran).toBe(true)
})
