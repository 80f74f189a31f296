import { expect, test } from 'vitest'
import { formatCursor, parseCursor } from './cursor.ts'

test('a cursor that is formatted parses to the same cursor', () => {
  const cursor = {
    epoch: '0b7d3c1e-9a8f-4a57-8f8e-2f6a3a1c9d10',
    mark: 18446744073709551615n,
    scope: 'a-Z_9',
  }
  expect(parseCursor(formatCursor(cursor))).toEqual(cursor)
})

test.each([
  '',
  '.',
  '..',
  'a.b.c',
  'a.1',
  'a.1.',
  '.1.c',
  'a.-1.c',
  'a.1.c.d',
  `a.${'9'.repeat(21)}.c`,
  'a.1.c\n',
])('the text %j is no cursor', (text) => {
  expect(parseCursor(text)).toBeNull()
})
