import { expect, test } from 'vitest'
import { parseHosts } from './hosts-file.ts'

test.each([
  ['one name', '10.0.0.1 broker', { broker: ['10.0.0.1'] }],
  ['several names', '10.0.0.1\tbroker  b2', { broker: ['10.0.0.1'], b2: ['10.0.0.1'] }],
  ['both families', '::1 broker\n127.0.0.1 broker', { broker: ['::1', '127.0.0.1'] }],
  ['the same line twice', '10.0.0.1 a\r\n10.0.0.1 a', { a: ['10.0.0.1'] }],
  ['capital letters', '10.0.0.1 Broker.Example', { 'broker.example': ['10.0.0.1'] }],
  ['comments', '# 10.0.0.1 a\n10.0.0.2 b # c', { b: ['10.0.0.2'] }],
  ['a name in place of an address', 'broker 10.0.0.1', {}],
  ['an address without a name', '10.0.0.1', {}],
  ['nothing', '\n \n', {}],
])('a hosts file with %s', (_name, text, names) => {
  expect(Object.fromEntries(parseHosts(text))).toEqual(names)
})
