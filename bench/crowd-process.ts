import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Answer, Command, OpenCommand, Report, Request } from './load/crowd.ts'
import { adopt, end } from './process.ts'

const FILE = new URL('load/crowd.ts', import.meta.url)

/** The clients of a benchmark, from the outside. */
export class CrowdProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0

  constructor() {
    this.#child = adopt(fork(FILE, { serialization: 'advanced' }))
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.number)?.(answer)
      this.#waiting.delete(answer.number)
    })
  }

  open(open: OpenCommand): Promise<unknown> {
    return this.#ask({ do: 'open', open })
  }

  pause(count: number): Promise<unknown> {
    return this.#ask({ do: 'pause', count })
  }

  reset(): Promise<unknown> {
    return this.#ask({ do: 'reset' })
  }

  /** Resolves when each client that reads has seen this many changes since the reset. */
  async until(changes: number, timeoutMs: number): Promise<boolean> {
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, timeoutMs, 'late').unref())
    return (await Promise.race([this.#ask({ do: 'await', changes }), late])) !== 'late'
  }

  async report(): Promise<Report> {
    return (await this.#ask({ do: 'report' })) as Report
  }

  close(): Promise<unknown> {
    return this.#ask({ do: 'close' })
  }

  end(): Promise<void> {
    return end(this.#child, 'SIGKILL')
  }

  async #ask(command: Command): Promise<unknown> {
    const number = ++this.#asked
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(number, resolve))
    this.#child.send({ number, command } satisfies Request)
    const answer = await answered
    if (answer.error !== undefined) throw new Error(`The clients failed: ${answer.error}`)
    return answer.value
  }
}
