/** What one page does to the server is felt by no other page and by no dial. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Client } from '../http/house.ts'
import { Desk, PLANT } from './desk.ts'

let desk: Desk
let broker: ScriptedBroker
let port = 0
const sockets: Socket[] = []

beforeEach(async () => {
  desk = await Desk.open({ SUPERVISOR: 'on' })
  broker = await ScriptedBroker.start(WILLING)
  port = Number(new URL(desk.url).port)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await desk.close()
  await broker.stop()
})

/** A page of the site s1; it watches everything that it may see. */
async function page(): Promise<Client> {
  const client = new Client({ port })
  await client.opened()
  client.say({ type: 'hello', token: await desk.token({ subject: 'page', sites: ['s1'] }) })
  await client.heard('welcome')
  client.say({ type: 'watch', id: 1, all: true })
  await client.heard('snapshot')
  return client
}

async function bytes(text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  socket.write(text, 'latin1')
}

/** The raw socket of a page after hello, to which a test can write any bytes. */
async function raw(): Promise<Socket> {
  const { socket } = await page()
  const { _socket } = socket as unknown as { readonly _socket: Socket }
  sockets.push(_socket)
  return _socket
}

const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  'sends ten thousand messages at once': async () => {
    const client = await page()
    for (let i = 0; i < 10_000; i++) client.say({ type: 'ping' })
  },
  'sends ten thousand control frames at once': async () => {
    const client = await page()
    for (let i = 0; i < 10_000; i++) client.socket.ping()
  },
  'asks again and again for a thousand rows that do not exist': async () => {
    const client = await page()
    const connections = Array.from({ length: 1_000 }, (_, i) => `none-${i}`)
    for (let id = 2; id < 150; id++) client.say({ type: 'watch', id, connections })
  },
  'sends what is no message': async () => {
    const client = await page()
    for (const text of ['{', '[]', 'null', '{"type":7}', '\0'.repeat(1_000)]) client.say(text)
  },
  'sends what is no frame': async () => {
    ;(await raw()).write('not a frame at all'.repeat(1_000))
  },
  'announces a frame of a terabyte': async () => {
    ;(await raw()).write(Buffer.from([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]))
  },
  'sends a frame that is not masked': async () => {
    ;(await raw()).write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]))
  },
  'reads nothing': async () => {
    ;(await raw()).pause()
  },
  'begins forty handshakes and ends none': async () => {
    await Promise.all(
      Array.from({ length: 40 }, () => bytes('GET /ws/status HTTP/1.1\r\nHost: 127.0.0.1\r\n')),
    )
  },
  'sends no HTTP': async () => {
    await Promise.all(
      Array.from({ length: 40 }, () => bytes('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n')),
    )
  },
  'announces forty bodies and sends none': async () => {
    const head =
      'POST /api/v1/connections HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n'
    await Promise.all(Array.from({ length: 40 }, () => bytes(head)))
  },
  'sends settings without end': async () => {
    const body = JSON.stringify({ ...PLANT, topics: Array.from({ length: 5_000 }, () => 'a/b') })
    await Promise.all(Array.from({ length: 20 }, () => desk.call('POST /connections', body)))
  },
}

test.each(Object.entries(FAULTS))(
  'beside a page that %s, another page gets every change, and dials and commands continue',
  async (_name, harm) => {
    const other = await page()
    const hears = async (status: string): Promise<void> => {
      await until(
        () =>
          other.messages.some(
            (message) =>
              message.type === 'patch' &&
              message.connections.some((row) => row.id === PLANT.id && row.status === status),
          ),
        { timeoutMs: 30_000, what: `the other page to hear ${status}` },
      )
      other.messages.length = 0
    }
    await harm()
    const row = { ...PLANT, port: broker.port, desired: 'connected' }
    expect((await desk.call('POST /connections', row)).status).toBe(201)
    await hears('connected')
    await harm()
    expect((await desk.call(`POST /connections/${PLANT.id}/disconnect`)).status).toBeLessThan(300)
    await hears('disconnected')
    await harm()
    expect((await desk.call(`POST /connections/${PLANT.id}/connect`)).status).toBeLessThan(300)
    await hears('connected')
    expect(other.socket.readyState).toBe(other.socket.OPEN)
    other.socket.close()
  },
)
