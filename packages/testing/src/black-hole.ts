import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A program that listens and stops itself, so it accepts no connection from the queue. */
const LISTEN = `
  const [port, host] = process.argv.slice(1)
  require('node:net').createServer().listen({ port: Number(port), host, backlog: 1 }, () => {
    process.stdout.write('listening')
    process.kill(process.pid, 'SIGSTOP')
  })`
/** Linux accepts one connection more than the backlog. */
const QUEUE = 2

/**
 * An address and port that answer no SYN, like a host behind a broken route: a listener whose queue is full, in a stopped process.
 */
export class BlackHole {
  readonly #child: ChildProcess
  readonly #fillers: readonly Socket[]

  private constructor(child: ChildProcess, fillers: readonly Socket[]) {
    this.#child = child
    this.#fillers = fillers
  }

  static async open(port: number, host: string): Promise<BlackHole> {
    const child = spawn(process.execPath, ['-e', LISTEN, String(port), host], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const fillers = Array.from({ length: QUEUE }, () => connect({ port, host }))
    for (const socket of fillers) await once(socket, 'connect')
    return new BlackHole(child, fillers)
  }

  async stop(): Promise<void> {
    for (const socket of this.#fillers) socket.on('error', () => undefined).destroy()
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
