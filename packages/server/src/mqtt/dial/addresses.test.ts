import { expect, test } from 'vitest'
import { AddressOrder, interleave } from './addresses.ts'

test.each([
  [['4a', '4b'], '4a 4b'],
  [['4a', '4b', '6a:', '6b:'], '6a: 4a 6b: 4b'],
  [['4a', '4b', '4c', '6a:'], '6a: 4a 4b 4c'],
  [['6a:', '6b:', '6c:', '4a'], '6a: 4a 6b: 6c:'],
  [['4a', '4a', '6a:', '6a:'], '6a: 4a'],
  [[], ''],
])('families take turns, IPv6 first, each address once: %j', (found, expected) => {
  const real = (name: string): string =>
    name.endsWith(':') ? `2001:db8::${name.slice(1, -1)}` : `192.0.2.${name.charCodeAt(1)}`
  const names = expected === '' ? [] : expected.split(' ')
  expect(interleave(found.map(real))).toEqual(names.map(real))
})

test('an address that has failed comes last until it is reached; the one that failed first is the first of those', () => {
  const order = new AddressOrder()
  const all = ['a', 'b', 'c', 'd']
  order.failed('h', 'a')
  order.failed('h', 'c')
  expect(order.order('h', all)).toEqual(['b', 'd', 'a', 'c'])
  expect(order.order('other', all)).toEqual(all)
  order.failed('h', 'b')
  order.failed('h', 'd')
  expect(order.order('h', all)).toEqual(['a', 'c', 'b', 'd'])
  order.failed('h', 'a')
  expect(order.order('h', all)).toEqual(['c', 'b', 'd', 'a'])
  order.reached('h', 'b')
  expect(order.order('h', all)).toEqual(['b', 'c', 'd', 'a'])
  for (const address of all) order.reached('h', address)
  expect(order.order('h', all)).toEqual(all)
})

test('an address that the name does not resolve to any more is dropped, and every address has its turn', () => {
  const order = new AddressOrder()
  order.failed('h', 'gone')
  expect(order.order('h', ['a'])).toEqual(['a'])
  expect(order.order('h', ['gone', 'a'])).toEqual(['gone', 'a'])
  const many = Array.from({ length: 100 }, (_, i) => `address${i}`)
  const tried = new Set<string>()
  for (let dial = 0; dial < 10; dial++)
    for (const address of order.order('h', many)) {
      tried.add(address)
      order.failed('h', address)
    }
  expect(order.order('h', many)).toHaveLength(16)
  expect(tried.size).toBe(100)
})

test('the memory of failed addresses has a limit of hosts', () => {
  const order = new AddressOrder()
  for (let i = 0; i < 10_001; i++) order.failed(`h${i}`, 'a')
  expect(order.order('h0', ['a', 'b'])).toEqual(['a', 'b'])
  expect(order.order('h1', ['a', 'b'])).toEqual(['b', 'a'])
})
