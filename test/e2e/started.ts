/** A program as an operator starts it: in a group of its own, as shells do, with nothing of the package manager that runs the tests. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { until } from '@mqtt-status/testing/until'
import { WebSocket } from 'ws'

/** npx and pnpm take their time on a busy machine. */
export const BOOT_MS = 60_000

const folders = (process.env['PATH'] ?? '').split(delimiter)
export const SYSTEM_PATH: string = folders
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter)
/** With a Node that is new enough for the installed package. */
export const INSTALLED_PATH: string = [dirname(process.execPath), SYSTEM_PATH].join(delimiter)

export interface Start {
  readonly command: readonly [string, ...string[]]
  readonly folder: string
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
}

export interface Goodbye {
  readonly code: number
  /** The reason of the last message. */
  readonly bye: string | undefined
}

export class Started {
  readonly child: ChildProcess
  /** All that it has printed. */
  output = ''
  readonly #port: number

  constructor({ command: [program, ...args], folder, path, environment }: Start) {
    this.#port = Number(environment['PORT'])
    const foreign = /^(npm_|pnpm_|INIT_CWD$|NODE_PATH$|VITEST|NODE_ENV$|TEST$|DATABASE_URL$|_$)/i
    const own = Object.entries(process.env).filter(([name]) => !foreign.test(name))
    this.child = spawn(program, args, {
      cwd: folder,
      detached: true,
      env: { ...Object.fromEntries(own), PATH: path, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** The processes that it has started, however deep, unless they have taken a group of their own; it comes first. */
  get group(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => isIn(this.pid, pid))
      .toSorted((a, b) => Number(b === this.pid) - Number(a === this.pid) || a - b)
  }

  signal(signal: NodeJS.Signals, to: 'process' | 'group'): void {
    process.kill(to === 'group' ? -this.pid : this.pid, signal)
  }

  /** Waits for the server and says hello; `goodbye` resolves with how the server closes. */
  async greet(): Promise<{ goodbye: Promise<Goodbye> }> {
    const said: { type: string; reason?: string }[] = []
    const socket = await until(() => this.#connect(), {
      what: 'the server to answer',
      timeoutMs: BOOT_MS,
    })
    if (socket === 'ended') throw new Error(`It has ended:\n${this.output}`)
    socket.on('message', (data) => {
      said.push(JSON.parse((data as Buffer).toString('utf8')) as { type: string; reason?: string })
    })
    socket.send('{"type":"hello"}')
    await until(() => said.some(({ type }) => type === 'welcome'))
    const goodbye = once(socket, 'close').then(([code]: unknown[]) => ({
      code: code as number,
      bye: said.find(({ type }) => type === 'bye')?.reason,
    }))
    return { goodbye }
  }

  /** Waits until no process of the group is left, and another one can have the port. */
  async gone(): Promise<void> {
    await until(() => this.group.length === 0, {
      what: 'all processes to have ended',
      timeoutMs: BOOT_MS,
    })
    await bind(this.#port)
  }

  kill(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // All of them have ended.
    }
  }

  async #connect(): Promise<WebSocket | 'ended'> {
    if (this.group.length === 0) return 'ended'
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/ws/status`, 'mqtt-status.v1')
    await once(socket, 'open')
    return socket
  }
}

/** @throws while another process holds the port */
export async function bind(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

/** The pnpm that runs the tests. */
export function pnpm(): string {
  const found = folders.map((folder) => join(folder, 'pnpm')).find((file) => existsSync(file))
  if (found === undefined) throw new Error('The tests are run by pnpm: npx -y pnpm@10 test e2e')
  return found
}

function isIn(group: number, pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // pid (name) state parent group …; the name may contain anything.
    const [, state, , found] = stat.slice(stat.lastIndexOf(')')).split(' ')
    return Number(found) === group && state !== 'Z'
  } catch {
    return false
  }
}
