import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ServerProcess } from './world.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
})

afterAll(async () => {
  await database?.drop()
})

/** Runs the server until it exits, and resolves with its output. */
async function refusal(
  environment: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const server = await ServerProcess.prepare({ DATABASE_URL: database.url, ...environment })
  const child = server.spawn()
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: server.output }
}

test('without authentication the server refuses to listen on other addresses than loopback, and names the settings that permit it', async () => {
  const { code, output } = await refusal({ HOST: '0.0.0.0' })
  expect(code).toBe(1)
  expect(output).toContain('AUTH_JWT_SECRET')
  expect(output).not.toContain('    at ')
})

test('the error without a database names the demo', async () => {
  const { code, output } = await refusal({ DATABASE_URL: '' })
  expect(code).toBe(1)
  expect(output).toContain('DATABASE_URL')
  expect(output).toContain('demo')
})

test('the server names a database that it can not reach, without its password', async () => {
  const { code, output } = await refusal({ DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/app' })
  expect(code).toBe(1)
  expect(output).toContain('127.0.0.1:1')
  expect(output).not.toContain('hunter2')
})

test('the server names a port that is in use', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as AddressInfo
  const { code, output } = await refusal({ PORT: String(port) })
  squatter.close()
  expect(code).toBe(1)
  expect(output).toContain(String(port))
})

test('after SIGTERM the server sends bye, closes with 4200, exits with 0 and leaves no session at the database', async () => {
  const server = await ServerProcess.start({ DATABASE_URL: database.url })
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/status`, 'mqtt-status.v1')
  const messages: { type: string }[] = []
  socket.on('message', (data) =>
    messages.push(JSON.parse((data as Buffer).toString('utf8')) as { type: string }),
  )
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'hello' }))
  await until(() => messages.some(({ type }) => type === 'welcome'))
  const closed = once(socket, 'close')
  expect(await server.end('SIGTERM')).toBe(0)
  const [code] = (await closed) as [number]
  expect(code).toBe(4200)
  expect(messages.at(-1)).toMatchObject({ type: 'bye', code: 4200, reason: 'shutdown' })
  const sessions = await database.sql`
    select application_name from pg_stat_activity
    where datname = current_database() and application_name like 'mqtt-status%'`
  expect(sessions).toHaveLength(0)
})

test('the server terminates peers that never answer, and ends with 0 within DRAIN_MS', async () => {
  const server = await ServerProcess.start({ DATABASE_URL: database.url, DRAIN_MS: '10000' })
  const { port } = new URL(server.url)
  const sockets = await Promise.all(
    ['ws', 'sse'].map(async (wire) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(
        wire === 'sse'
          ? 'GET /sse/status?all=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
          : 'GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
              'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      )
      await once(socket, 'data')
      socket.pause()
      return socket
    }),
  )
  expect(await server.end('SIGTERM')).toBe(0)
  expect(server.output).toContain('terminating clients that have not closed in time')
  for (const socket of sockets) socket.destroy()
})

test('a second signal ends the server at once', async () => {
  const server = await ServerProcess.start({ DATABASE_URL: database.url })
  // The drain waits for a peer that never answers the close.
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/status`)
  await once(socket, 'open')
  socket.pause()
  let code: number | null | undefined
  const ended = server.end('SIGTERM').then((found) => (code = found))
  // Repeated, because the server counts signals within a short time as one keystroke.
  await until(() => {
    server.signal('SIGTERM')
    return code !== undefined
  })
  await ended
  expect(code).toBe(128 + 15)
  socket.terminate()
})

test('a server with a secret accepts the token of the command line', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const server = await ServerProcess.start({ DATABASE_URL: database.url, AUTH_JWT_SECRET: secret })
  expect((await fetch(`${server.url}/api/v1/connections`)).status).toBe(401)
  const token = await ServerProcess.run(['token', '--sub', 'me', '--sites', '*'], {
    AUTH_JWT_SECRET: secret,
  })
  const response = await fetch(`${server.url}/api/v1/connections`, {
    headers: { authorization: `Bearer ${token.trim()}` },
  })
  expect(response.status).toBe(200)
  await server.end('SIGTERM')
})
