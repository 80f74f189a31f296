/** A process with a gauge in it. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { GaugeRequest, Reading } from './gauge.ts'
import { adopt, cpuMs, delay, end } from './process.ts'

export class Gauged {
  readonly #child: ChildProcess

  #stopping = false

  private constructor(child: ChildProcess) {
    this.#child = child
    child.once('exit', (code, signal) => {
      if (!this.#stopping) throw new Error(`The process under test has ended: ${code ?? signal}`)
    })
  }

  static start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Gauged {
    const gauge = new URL('gauge.ts', import.meta.url).href
    return new Gauged(
      adopt(
        spawn(process.execPath, ['--expose-gc', '--import', gauge, program, ...args], {
          // NODE_OPTIONS are what an operator would tune, or profile, with.
          env: {
            PATH: process.env['PATH'],
            NODE_OPTIONS: process.env['NODE_OPTIONS'] ?? '',
            ...env,
          },
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        }),
      ),
    )
  }

  get cpuMs(): number {
    return cpuMs(this.#child.pid ?? 0)
  }

  /** Asks the program itself something over IPC. */
  async ask<T>(message: Record<string, unknown>, answer: string): Promise<T> {
    this.#child.send(message)
    for (;;) {
      const [got] = (await once(this.#child, 'message')) as [Record<string, unknown>]
      if (answer in got) return got[answer] as T
    }
  }

  gauge(request: GaugeRequest): Promise<Reading> {
    return this.ask<Reading>({ gauge: request }, 'reading')
  }

  /** With the garbage collected, the least of several readings: a heap gives pages back in steps. */
  async memory(): Promise<Reading> {
    let least = await this.gauge('collect')
    for (let i = 0; i < 6; i++) {
      await delay(500)
      const next = await this.gauge('collect')
      if (next.rssKiB < least.rssKiB) least = next
    }
    return least
  }

  stop(): Promise<void> {
    this.#stopping = true
    return end(this.#child)
  }
}
