import { connection } from '@mqtt-status/testing/connection'
import { expect, test } from 'vitest'
import { readMessage, readRow } from './incoming.ts'

const ROW = connection({
  id: 'a',
  name: 'A',
  revision: 3,
  desiredAt: '2026-11-23T18:00:00.000Z',
  desiredBy: 'me',
  device: 'online',
  labels: { region: 'north' },
})

const ODD: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  true,
  '',
  'x',
  [],
  {},
  [ROW],
  { toString: 1 },
]
const TYPES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['siteId', 'name', 'status', 'since', 'device'].map((k) => [k, ['string']]),
  ),
  ...Object.fromEntries(
    ['desired', 'desiredAt', 'desiredBy', 'reason', 'detail', 'lastMessageAt', 'deviceSince'].map(
      (k) => [k, ['string', 'null']],
    ),
  ),
  ...Object.fromEntries(
    ['revision', 'generation', 'observedGeneration'].map((k) => [k, ['number']]),
  ),
  labels: ['object'],
  managed: ['boolean'],
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

test('a valid row stays as it is', () => {
  expect(readRow({ ...ROW })).toEqual(ROW)
  expect(readRow({ ...ROW, later: 1 })).toMatchObject({ later: 1 })
})

test.each(Object.keys(ROW).filter((name) => name !== 'id'))(
  'a row whose %s has another type keeps all its other fields',
  (name) => {
    for (const odd of ODD) {
      const row = readRow({ ...ROW, [name]: odd }) as unknown as Record<string, unknown>
      expect(TYPES[name], JSON.stringify(odd)).toContain(typeOf(row[name]))
      expect({ ...row, [name]: null }).toEqual({ ...ROW, [name]: null })
    }
  },
)

test.each([...ODD, { ...ROW, id: 7 }, { ...ROW, id: null }])('%j is no row', (value) => {
  expect(readRow(value)).toBeNull()
})

test('a revision that is too large for a number does not exceed all others', () => {
  const message = readMessage(`{"type":"patch","connections":[{"id":"a","revision":1e999}]}`)
  expect(message).toMatchObject({ connections: [{ id: 'a', revision: 0 }] })
})

test.each(['', 'x', '{', 'null', '5', '"text"', '[]', '{}', '{"type":5}', '<html>', '\u0000'])(
  '%j is no message',
  (text) => {
    expect(readMessage(text)).toBeNull()
  },
)

test.each(ODD)('%j in any field leaves the message readable', (odd) => {
  const fields = {
    connections: odd,
    removed: odd,
    missing: odd,
    can: odd,
    limits: odd,
    heartbeatMs: odd,
    commandTimeoutMs: odd,
    unknownScope: odd,
    reconnectAfterMs: odd,
    since: odd,
  }
  const read = (type: string): unknown => readMessage(JSON.stringify({ type, ...fields }))
  for (const type of ['snapshot', 'patch']) {
    const { connections, removed, missing } = read(type) as Record<string, unknown[]>
    expect([connections, removed, missing].every((list) => Array.isArray(list))).toBe(true)
  }
  expect(read('welcome')).toMatchObject({
    limits: { watch: expect.toSatisfy((n: number) => n >= 1) as number },
    heartbeatMs: expect.toSatisfy((n: number) => n >= 1) as number,
    commandTimeoutMs: expect.toSatisfy((n: number) => n >= 1) as number,
  })
  expect(Number.isNaN(Date.parse((read('feed') as { since: string }).since))).toBe(false)
  expect((read('bye') as { reconnectAfterMs: unknown }).reconnectAfterMs).toBeNull()
})

test.each([
  [
    [800, 9_000],
    [800, 9_000],
  ],
  [
    [0, 0],
    [0, 0],
  ],
  [
    [9_000, 800],
    [9_000, 9_000],
  ],
  [[5], [5, 5]],
  [[-1, 5], null],
  [[1e12, 1e13], null],
  [['800', '9000'], null],
])('the window %j of a goodbye is read as %j', (window, read) => {
  const text = JSON.stringify({ type: 'bye', code: 4200, reconnectAfterMs: window })
  expect(readMessage(text)).toMatchObject({ reconnectAfterMs: read })
})

test('a heartbeat that is too long for a timer becomes the default one', () => {
  for (const heartbeatMs of [0, -5, 1e12, null, '25000'])
    expect(readMessage(JSON.stringify({ type: 'welcome', heartbeatMs }))).toMatchObject({
      heartbeatMs: 25_000,
    })
})
