import type { ClientMessage } from '@mqtt-status/protocol'
import { beforeEach, expect, test } from 'vitest'
import { openHttpSocket } from './http-socket.ts'
import type { ReadRequest } from './http-socket.ts'
import type { Transport } from './transport.ts'

interface Begun extends ReadRequest {
  readonly end: (code: number) => void
}

let reads: Begun[]
let heard: Record<string, unknown>[]
let closed: number[]
let socket: Transport

beforeEach(() => {
  reads = []
  heard = []
  closed = []
  const open = openHttpSocket(
    (request) => new Promise((end) => reads.push(Object.assign({ end }, request))),
  )
  socket = open('http://status.test/', {
    onOpen: () => undefined,
    onMessage: (text) => heard.push(JSON.parse(text) as Record<string, unknown>),
    onClose: (code) => closed.push(code),
  })
})

/** Sends all messages in one task, and resolves after its microtasks. */
async function sends(...messages: ClientMessage[]): Promise<void> {
  for (const message of messages) socket.send(message)
  await Promise.resolve()
}

function last(): Begun {
  return reads.at(-1)!
}

const A = { type: 'watch', id: 1, connections: ['a'] } as const
const B = { type: 'watch', id: 2, connections: ['b'] } as const

test('a read has the whole set: watches add to it, and an unwatch removes from it', async () => {
  await sends({ type: 'hello', token: 't' })
  expect(reads).toEqual([])
  await sends(A)
  await sends(B, { type: 'watch', id: 3, sites: ['s'], all: true, summary: ['*'] })
  await sends({ type: 'unwatch', connections: ['a'], all: true })
  expect(reads.map(({ watch }) => watch)).toEqual([
    { connections: ['a'] },
    { connections: ['a', 'b'], sites: ['s'], summary: ['*'], all: true },
    { connections: ['b'], sites: ['s'], summary: ['*'] },
  ])
  expect(reads.map(({ token }) => token)).toEqual(['t', 't', 't'])
})

test.each<[string, ClientMessage]>([
  ['watch', B],
  ['unwatch', { type: 'unwatch', connections: ['a'] }],
  ['auth', { type: 'auth', token: 'new' }],
  ['ping', { type: 'ping' }],
])('%s replaces the read, whose messages and end are dropped from then on', async (_, message) => {
  await sends(A)
  const [first] = reads
  socket.send(message)
  expect(first?.signal.aborted).toBe(true)
  first?.hear('{"type":"snapshot"}', 'e.1.s')
  first?.end(1006)
  await Promise.resolve()
  expect([reads.length, heard, closed]).toEqual([2, [], []])
  expect(last().watch.cursor).toBeUndefined()
  last().end(4001)
  await Promise.resolve()
  expect(closed).toEqual([4001])
})

test.each<[string, readonly ClientMessage[], string | undefined]>([
  ['an unwatch', [{ type: 'unwatch', sites: ['s'] }], 'e.2.s'],
  ['a ping', [{ type: 'ping' }], 'e.2.s'],
  ['a token', [{ type: 'auth', token: 'n' }], 'e.2.s'],
  ['a watch without a cursor', [B], undefined],
  ['a watch with one', [{ ...B, cursor: 'e.1.s' }], 'e.1.s'],
  [
    'two watches with one',
    [
      { ...A, cursor: 'e.1.s' },
      { ...B, cursor: 'e.1.s' },
    ],
    'e.1.s',
  ],
  ['two watches, the first without', [A, { ...B, cursor: 'e.1.s' }], undefined],
  ['two watches, the second without', [{ ...A, cursor: 'e.1.s' }, B], undefined],
  ['a watch without one, then a ping', [B, { type: 'ping' }], undefined],
])('the read after %s continues where it can', async (_, messages, cursor) => {
  await sends(A)
  last().hear('{"type":"snapshot"}', 'e.2.s')
  last().hear('{"type":"summary"}')
  await sends(...messages)
  expect(last().watch.cursor).toBe(cursor)
})

test('the first message after a ping is preceded by a pong, and only that one', async () => {
  await sends(A, { type: 'ping' })
  last().hear('{"type":"welcome"}')
  last().hear('{"type":"snapshot"}')
  expect(heard.map(({ type }) => type)).toEqual(['pong', 'welcome', 'snapshot'])
})

test('a watch that does not fit into a request is refused by its number, and the others are read', async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(100)}${i}`)
  await sends(A, { type: 'watch', id: 7, connections: many })
  expect(heard).toMatchObject([{ type: 'error', id: 7, code: 'limit_watch' }])
  expect(reads.map(({ watch }) => watch.connections)).toEqual([['a']])
})

test('after close the socket reads, delivers and reports nothing', async () => {
  await sends(A)
  const [first] = reads
  socket.send(B)
  socket.send({ type: 'watch', id: 8, connections: ['x'.repeat(70_000)] })
  socket.close()
  await Promise.resolve()
  first?.hear('{"type":"snapshot"}')
  first?.end(1006)
  await Promise.resolve()
  expect([reads.length, heard, closed]).toEqual([1, [], []])
})
