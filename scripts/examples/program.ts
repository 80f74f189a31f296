/** A program that listens on loopback, in a process group of its own: programs that it has started end with it. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { until } from '@mqtt-status/testing/until'

export interface ProgramOptions {
  /** Names the program in errors. */
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
}

/** A program that does not end at SIGTERM is killed after so long. */
const PATIENCE_MS = 10_000

export class Program {
  /** All that it has printed. */
  output = ''
  readonly #name: string
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>

  constructor({ name, command: [program, ...args], folder, environment }: ProgramOptions) {
    this.#name = name
    this.#child = spawn(program, args, {
      cwd: folder,
      env: environment,
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.#exit = once(this.#child, 'exit').catch((error: unknown) => {
      this.output += String(error)
    })
  }

  /** Resolves when the program has ended. */
  get ended(): Promise<unknown> {
    return this.#exit
  }

  /** Waits until it answers with a page; throws with its output if it ends before. */
  async answers(url: string): Promise<void> {
    let hasEnded = false
    void this.#exit.then(() => (hasEnded = true))
    const outcome = await until(
      async () => {
        if (hasEnded) return 'ended'
        return (await fetch(url)).ok && 'answers'
      },
      { what: `${this.#name} to answer at ${url}`, timeoutMs: 120_000 },
    )
    if (outcome === 'ended') throw new Error(`${this.#name} has ended:\n${this.output}`)
  }

  async stop(): Promise<void> {
    this.#signal('SIGTERM')
    const timer = setTimeout(() => {
      this.#signal('SIGKILL')
    }, PATIENCE_MS)
    await this.#exit
    clearTimeout(timer)
    // A program that it has started may have ignored the signal.
    this.#signal('SIGKILL')
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, signal)
    } catch {
      // All of them have ended.
    }
  }
}
