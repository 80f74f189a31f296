import { expect, test } from 'vitest'
import { PersonTurns } from './person-turns.ts'

/** Work that ends when the test ends it. */
function held(): { readonly work: () => Promise<string>; readonly end: () => void } {
  let end = (): void => undefined
  const done = new Promise<string>((resolve) => {
    end = () => {
      resolve('done')
    }
  })
  return { work: () => done, end }
}

test('a site whose tests hang keeps neither another site nor its own checks waiting', async () => {
  const turns = new PersonTurns({ perSite: 2, inAll: 8, patienceMs: 60_000 })
  const [one, two] = [held(), held()]
  const hanging = [turns.run('test', 'a', one.work), turns.run('test', 'a', two.work)]
  expect(await turns.run('test', 'b', () => Promise.resolve('b'))).toBe('b')
  expect(await turns.run('check', 'a', () => Promise.resolve('check'))).toBe('check')
  one.end()
  two.end()
  expect(await Promise.all(hanging)).toEqual(['done', 'done'])
  expect(turns.isIdle).toBe(true)
})

test('a further test of a site waits for its turn', async () => {
  const turns = new PersonTurns({ perSite: 1, patienceMs: 60_000 })
  const first = held()
  const order: string[] = []
  const running = turns.run('test', 'a', first.work).then(() => order.push('first'))
  const waiting = turns.run('test', 'a', () => Promise.resolve()).then(() => order.push('second'))
  first.end()
  await Promise.all([running, waiting])
  expect(order).toEqual(['first', 'second'])
})

test('a test whose turn does not come is refused with a time to wait, and the queue goes on', async () => {
  const turns = new PersonTurns({ perSite: 1, patienceMs: 10 })
  const first = held()
  const running = turns.run('test', 'a', first.work)
  await expect(turns.run('test', 'a', () => Promise.resolve())).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterS: 1,
  })
  first.end()
  await running
  expect(await turns.run('test', 'a', () => Promise.resolve('next'))).toBe('next')
})

test('work that fails gives its turn back', async () => {
  const turns = new PersonTurns({ perSite: 1 })
  await expect(turns.run('test', 'a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(turns.isIdle).toBe(true)
})
