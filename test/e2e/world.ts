/**
 * Everything for one test file: a new database, a broker, the built server as a process, a page on another origin,
 * a browser. With `E2E_BROKER=mosquitto` the broker is the system's Mosquitto.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { Broker } from '@mqtt-status/testing/broker'
import { freePort } from '@mqtt-status/testing/free-port'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { until } from '@mqtt-status/testing/until'

const MAIN = new URL('../../packages/server/dist/main.js', import.meta.url).pathname

/** The methods of a broker that tests use. */
export interface AnyBroker {
  readonly port: number
  connects(clientId: string): number
  disconnects(clientId: string): number
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export function startBroker(): Promise<AnyBroker> {
  return process.env['E2E_BROKER'] === 'mosquitto' ? Mosquitto.start() : Broker.start()
}

/** `mqtt-status serve`, built, as an operator runs it. */
export class ServerProcess {
  readonly url: string
  readonly #environment: Record<string, string>
  readonly #main: string
  #child: ChildProcess | null = null
  /** All that it has printed. */
  output = ''

  private constructor(port: number, environment: Record<string, string>, main: string) {
    this.#main = main
    this.url = `http://127.0.0.1:${port}`
    this.#environment = {
      PORT: String(port),
      LOG_FORMAT: 'json',
      MQTT_ALLOW_CIDRS: '127.0.0.0/8',
      MQTT_ALLOW_PORTS: '1-65535',
      ...environment,
    }
  }

  /**
   * Chooses a port, and starts nothing.
   *
   * @param main of another copy of the server
   */
  static async prepare(
    environment: Record<string, string>,
    main: string = MAIN,
  ): Promise<ServerProcess> {
    return new ServerProcess(await freePort(), environment, main)
  }

  static async start(environment: Record<string, string>): Promise<ServerProcess> {
    const server = await ServerProcess.prepare(environment)
    await server.launch()
    return server
  }

  /** Runs another command of the same program and answers what it printed. */
  static async run(args: readonly string[], environment: Record<string, string>): Promise<string> {
    const env = { PATH: process.env['PATH'], ...environment }
    return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env })).stdout
  }

  async launch(): Promise<void> {
    const child = this.spawn()
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`The server ended:\n${this.output}`)
        return (await fetch(`${this.url}/readyz`)).ok
      },
      { what: 'the server to be ready', timeoutMs: 20_000 },
    )
  }

  /** Starts the process without waiting for it. */
  spawn(): ChildProcess {
    const child = spawn(process.execPath, [this.#main, 'serve'], {
      env: { PATH: process.env['PATH'], ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    }
    this.#child = child
    return child
  }

  /** Sends a signal, and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** @returns the exit code, `null` if a signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
    return child.exitCode
  }
}

/** A portal of another origin: static pages. */
export class PortalPages {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start(html: string): Promise<PortalPages> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PortalPages(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** The three lines of the README. */
export function embed(serverUrl: string, id: string): string {
  return `<!doctype html><html lang="en"><title>Portal</title>
<script type="module" src="${serverUrl}/widgets/mqtt-status.js"></script>
<mqtt-status-card connection-id="${id}" lang="it">Impianto 7</mqtt-status-card>`
}
