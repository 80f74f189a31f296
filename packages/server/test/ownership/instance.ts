/** `mqtt-status serve`, run from its sources as a process of its own. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '@mqtt-status/testing/free-port'
import { until } from '@mqtt-status/testing/until'
import { Client } from '../faults/house.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

const SETTINGS = {
  FEED_POLL_MS: '500',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'debug',
  MQTT_ALLOW_CIDRS: '127.0.0.0/8',
  MQTT_ALLOW_PORTS: '1-65535',
}

export class Instance {
  readonly url: string
  /** All that it has printed. */
  output = ''
  /** Whether its lease had reason to end. */
  mayLapse = false
  readonly #child: ChildProcess
  #isStopped = false

  private constructor(port: number, environment: Readonly<Record<string, string>>) {
    this.url = `http://127.0.0.1:${port}`
    this.#child = spawn(process.execPath, [MAIN, 'serve'], {
      env: { PATH: process.env['PATH'], PORT: String(port), ...SETTINGS, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<Instance> {
    const instance = new Instance(await freePort(), environment)
    await until(
      async () => {
        if (instance.#child.exitCode !== null) throw new Error('The server has ended')
        return (await fetch(`${instance.url}/readyz`)).ok
      },
      { what: 'the server to be ready', timeoutMs: 30_000 },
    ).catch((cause: unknown) => {
      throw new Error(`It did not start:\n${instance.output}`, { cause })
    })
    return instance
  }

  /** A client that has had its first answer. */
  async watch(): Promise<Client> {
    const client = new Client(this.url)
    client.say({ type: 'hello' })
    client.say({ type: 'watch', id: 1, all: true })
    await until(() => client.answers > 0, { what: 'the first answer', timeoutMs: 30_000 })
    return client
  }

  /** SIGSTOP: it lives, but does nothing any more; as a machine that is frozen. */
  freeze(): void {
    this.#isStopped = true
    this.mayLapse = true
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#isStopped = false
    this.#child.kill('SIGCONT')
  }

  /** @returns the exit code, `null` if a signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    if (this.#isStopped) this.thaw()
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
    return child.exitCode
  }
}
