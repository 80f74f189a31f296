/** What the proxy does to a stream of bytes has to be something that TCP can do. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FaultProxy } from './fault-proxy.ts'
import { until } from './until.ts'

let server: Server
let upstream: Socket[]
let proxy: FaultProxy
let client: Socket
let heard: string

beforeEach(async () => {
  upstream = []
  heard = ''
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    upstream.push(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy = await FaultProxy.start((server.address() as AddressInfo).port)
  client = await dial()
})

afterEach(async () => {
  await proxy.stop()
  await new Promise((resolve) => server.close(resolve))
})

async function dial(): Promise<Socket> {
  const known = upstream.length
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => (heard += String(chunk)))
  await until(() => upstream.length > known)
  return socket
}

/** Waits until the proxy has taken it: both ends are in this process. */
async function say(text: string, socket = upstream.at(-1)): Promise<void> {
  const { taken } = proxy
  socket?.write(text)
  await until(() => proxy.taken > taken)
}

test('what is slow does not let pass what comes after it', async () => {
  proxy.mode = 'slow'
  await say('1')
  proxy.mode = 'pass'
  await say('2')
  expect(heard).toBe('')
  await until(() => heard.length === 2)
  expect(heard).toBe('12')
})

test('what is held comes in order, before whatever comes later', async () => {
  proxy.mode = 'hold'
  await say('1')
  await say('2')
  proxy.mode = 'slow'
  await say('3')
  await until(() => heard.length === 3)
  expect(heard).toBe('123')
})

test.each(['drop', 'up-drop'] as const)(
  '%s: a stream that has lost bytes is never continued, others are',
  async (mode) => {
    let said = ''
    upstream[0]?.on('data', (chunk) => (said += String(chunk)))
    proxy.mode = mode
    await say('lost', client)
    await say('?')
    proxy.mode = 'pass'
    await say('garbage', client)
    await say('!')
    const another = await dial()
    upstream.at(-1)?.on('data', (chunk) => (said += String(chunk)))
    await say('fresh', another)
    await say('.')
    await until(() => said === 'fresh' && heard.endsWith('.'))
    expect(heard).toBe(mode === 'drop' ? '.' : '?!.')
    expect(client.destroyed).toBe(false)
  },
)

test('in a black hole neither side sees the other one close', async () => {
  proxy.mode = 'drop'
  upstream[0]?.destroy()
  await until(() => proxy.taken > 0)
  proxy.mode = 'pass'
  await say('hello?', client)
  expect(client.destroyed).toBe(false)
})

test('bytes that were sent before an end arrive before it', async () => {
  proxy.mode = 'slow'
  await say('last words')
  upstream[0]?.end()
  await until(() => client.destroyed)
  expect(heard).toBe('last words')
})

test('whole answers only: a stream of events is held, an answer is not, an upgrade is refused', async () => {
  proxy.mode = 'whole-answers'
  await say('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
  await say('data: 1\n\n')
  await dial()
  await say('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}')
  await until(() => heard.endsWith('{}'))
  expect(heard).not.toContain('event')
  const third = await dial()
  await say('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n', third)
  await until(() => heard.includes('403'))
  expect(proxy.refused).toBe(1)
  proxy.mode = 'pass'
  await until(() => heard.endsWith('data: 1\n\n'))
})
