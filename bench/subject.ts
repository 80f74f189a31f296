/** What is measured: our server with its database, or a peer. Each has a process id, and makes changes at a command. */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connection } from '@mqtt-status/testing/connection'
import type postgres from 'postgres'
import type { WireKind } from './load/wire.ts'
import { marker, remark } from './marker.ts'
import { startNchan } from './peers/nchan.ts'
import type { Broadcast } from './peers/peer.ts'
import { adopt, delay, end } from './process.ts'

export interface Subject {
  readonly name: string
  readonly kind: WireKind
  readonly pid: number
  readonly port: number
  /** Whether its garbage is collected on SIGUSR2. */
  readonly isNode: boolean
  /** Makes this many changes at once, numbered from `sequence`. */
  change(sequence: number, times: number): Promise<void>
  stop(): Promise<void>
}

/** The very text that our server sends for one change. */
const TEXT = JSON.stringify({
  type: 'patch',
  connections: [
    connection({
      id: 'c42',
      siteId: 's0',
      name: marker(0),
      revision: 4242,
      generation: 0,
      observedGeneration: 0,
    }),
  ],
  removed: [],
  missing: [],
  cursor: '0b0e3c5e-77ce-4f52-a7c5-95b2c1b0a0a0.12345.abcdefghijkl',
})

/** SIGUSR2 collects garbage. */
const COLLECT = ['--expose-gc', '--import', new URL('collect.ts', import.meta.url).href]

export type PeerName = 'ws' | 'ws-ready' | 'socketio' | 'sse' | 'sse-hono'

const KINDS: Readonly<Record<PeerName, WireKind>> = {
  ws: 'ws',
  'ws-ready': 'ws',
  socketio: 'socketio',
  sse: 'sse',
  'sse-hono': 'sse',
}

export const TITLES: Readonly<Record<PeerName, string>> = {
  ws: '`ws`, `send` per client',
  'ws-ready': '`ws`, ready-made frame',
  socketio: 'socket.io',
  sse: 'node:http `response.write`',
  'sse-hono': 'hono `streamSSE`',
}

export async function startPeer(peer: PeerName): Promise<Subject> {
  const child = adopt(fork(new URL(`peers/${peer}.ts`, import.meta.url), { execArgv: COLLECT }))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    name: TITLES[peer],
    kind: KINDS[peer],
    pid: child.pid ?? 0,
    port,
    isNode: true,
    change(sequence, times) {
      child.send({ text: TEXT, sequence, times } satisfies Broadcast)
      return Promise.resolve()
    },
    stop: () => end(child, 'SIGKILL'),
  }
}

/** `null` where there is no C compiler. */
export async function startFloor(): Promise<Subject | null> {
  const program = join(mkdtempSync(join(tmpdir(), 'mqtt-status-bench-')), 'floor')
  try {
    const source = new URL('peers/floor.c', import.meta.url).pathname
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'pipe' })
  } catch {
    return null
  }
  const child = adopt(spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return {
    name: 'floor: C, `write` per client',
    kind: 'raw',
    pid: child.pid ?? 0,
    port: Number(line),
    isNode: false,
    change(sequence, times) {
      for (let i = 0; i < times; i++) {
        const text = remark(TEXT, sequence + i)
        child.stdin.write(`1 ${Buffer.byteLength(text)}\n${text}`)
      }
      return Promise.resolve()
    },
    stop: () => end(child, 'SIGKILL'),
  }
}

/** `null` where nchan is not installed. */
export async function startNchanPeer(kind: 'ws' | 'sse'): Promise<Subject | null> {
  const nchan = await startNchan()
  if (nchan === null) return null
  return {
    name: `nchan in nginx, ${kind === 'ws' ? 'WebSocket' : 'SSE'}`,
    kind,
    pid: nchan.pid,
    port: nchan.port,
    isNode: false,
    async change(sequence, times) {
      const texts = Array.from({ length: times }, (_, i) => remark(TEXT, sequence + i))
      await Promise.all(texts.map((text) => nchan.publish(text)))
    },
    stop: () => nchan.stop(),
  }
}

const MAIN = new URL('../packages/server/dist/main.js', import.meta.url).pathname

export interface OursOptions {
  readonly url: string
  readonly sql: postgres.Sql
  readonly rows: number
  readonly port: number
}

/** The built server, as an operator runs it. */
export async function startOurs(
  wire: 'status-ws' | 'status-sse',
  { url, sql, rows, port }: OursOptions,
): Promise<Subject> {
  if (!existsSync(MAIN)) throw new Error('Build it first: node scripts/build.ts')
  const child = adopt(
    spawn(process.execPath, [...COLLECT, MAIN, 'serve'], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: url,
        PORT: String(port),
        SUPERVISOR: 'off',
        LOG_LEVEL: 'warn',
        HEARTBEAT_MS: '600000',
        SOCKETS_PER_ADDRESS: '0',
        HANDSHAKES_PER_ADDRESS: '0',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  )
  await answering(port)
  return {
    name: `mqtt-status, ${wire === 'status-ws' ? 'WebSocket' : 'SSE'}`,
    kind: wire,
    pid: child.pid ?? 0,
    port,
    isNode: true,
    async change(sequence, times) {
      const changes = Array.from({ length: times }, (_, i) => ({
        id: `c${(sequence + i) % rows}`,
        name: marker(sequence + i),
      }))
      await sql`
        update connections c set name = n.name
        from jsonb_to_recordset(${sql.json(changes)}) as n (id text, name text)
        where c.id = n.id`
    },
    stop: () => end(child),
  }
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/readyz`)).ok) return
    } catch {
      // It is not up yet.
    }
    await delay(50)
  }
  throw new Error('The server does not become ready.')
}
