import { afterEach, expect, test } from 'vitest'
import { toJson } from './json.ts'

/** Values of every type, at every depth. */
const VALUES: readonly unknown[] = [
  { type: 'watch', id: 1, connections: ['a', 'b'], sites: [], summary: ['*'], all: true },
  { type: 'hello', token: 'x', client: { name: 'widgets', labels: [{ a: [1, null, 'ü'] }] } },
  { absent: undefined, empty: {}, none: null, text: '', number: 0.5, no: false },
  [undefined, [[]], { __proto__: null, a: 1 }],
  ['mqtt-status.tabs.2', 'https://x/', undefined, null],
  'text',
  7,
  null,
]
const EXPECTED = VALUES.map((value) => JSON.stringify(value))

const PROTOTYPES = { Array, Object, String, Number, Boolean, Function }

afterEach(() => {
  for (const { prototype } of Object.values(PROTOTYPES)) Reflect.deleteProperty(prototype, 'toJSON')
})

const METHODS = {
  'answers with text': (): string => '["text"]',
  'answers with nothing': (): undefined => undefined,
  throws: (): never => {
    throw new Error('toJSON was called')
  },
}

test.each(
  Object.keys(PROTOTYPES).flatMap((owner) =>
    Object.keys(METHODS).map((how) => [owner, how] as const),
  ),
)('JSON stays the same where toJSON of %s %s', (owner, how) => {
  Object.assign(PROTOTYPES[owner as keyof typeof PROTOTYPES].prototype, {
    toJSON: METHODS[how as keyof typeof METHODS],
  })
  expect(VALUES.map((value) => toJson(value))).toEqual(EXPECTED)
})

test('toJson can indent its result', () => {
  expect(toJson({ a: [1] }, 2)).toBe(JSON.stringify({ a: [1] }, null, 2))
})
