import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('a fixed number of calls continues in each turn of the event loop, in order', async () => {
  const turns = new Turns(2)
  const entered: number[] = []
  for (const i of [1, 2, 3, 4, 5]) void turns.enter().then(() => entered.push(i))
  expect(entered).toEqual([])
  await turn()
  expect(entered).toEqual([1, 2])
  await turn()
  expect(entered).toEqual([1, 2, 3, 4])
  await turn()
  expect(entered).toEqual([1, 2, 3, 4, 5])
})

test('a dial that enters while others wait goes after them', async () => {
  const turns = new Turns(1)
  const entered: string[] = []
  void turns.enter().then(() => {
    entered.push('first')
    void turns.enter().then(() => entered.push('again'))
  })
  void turns.enter().then(() => entered.push('second'))
  for (let i = 0; i < 3; i++) await turn()
  expect(entered).toEqual(['first', 'second', 'again'])
})
