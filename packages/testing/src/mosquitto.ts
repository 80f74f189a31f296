import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface MosquittoOptions {
  /** The users that may connect. @default any client */
  readonly users?: Readonly<Record<string, string>>
  /** Serves TLS instead of plain text. */
  readonly tls?: {
    readonly cert: string
    readonly key: string
    /** Each client needs a certificate that this authority has signed. */
    readonly clientCa?: string
  }
  /** Speaks MQTT over WebSockets. */
  readonly websockets?: boolean
  /** Writes no log, so a test can count no packets. */
  readonly quiet?: boolean
  /** Lines of the access control list. */
  readonly acl?: readonly string[]
}

/** A real Mosquitto of the system, on a port of its own, that logs the packets it receives. */
export class Mosquitto {
  readonly port: number
  readonly #folder: string
  readonly #options: MosquittoOptions
  #process: ChildProcess | null = null

  private constructor(port: number, folder: string, options: MosquittoOptions) {
    this.port = port
    this.#folder = folder
    this.#options = options
  }

  /** @throws when no `mosquitto` is installed */
  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'))
    const mosquitto = new Mosquitto(await freePort(), folder, options)
    await mosquitto.#launch()
    return mosquitto
  }

  /** How many MQTT DISCONNECT packets a client has sent; a socket that just ends does not count. */
  disconnects(clientId: string): number {
    return this.#count(`Received DISCONNECT from ${clientId}`)
  }

  /** How many CONNECT packets were accepted from a client. */
  connects(clientId: string): number {
    return this.#count(`Sending CONNACK to ${clientId} (0, 0)`)
  }

  /** Kills the process with SIGKILL, so it sends no DISCONNECT. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === null) return
    this.#process = null
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** Starts again on the same port. */
  async restart(): Promise<void> {
    await this.kill()
    await this.#launch()
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #launch(): Promise<void> {
    const file = join(this.#folder, 'mosquitto.conf')
    const lines = [
      `listener ${this.port} 127.0.0.1`,
      ...this.#optionLines(),
      // Mosquitto 2.0.11 ends if WebSockets are its only listener.
      ...(this.#options.websockets === true ? [`listener ${await freePort()} 127.0.0.1`] : []),
      'persistence false',
      ...(this.#options.quiet === true
        ? ['log_type none']
        : ['log_type all', `log_dest file ${join(this.#folder, 'log')}`]),
      // As root it would drop to a user that can't write this folder.
      ...(process.getuid?.() === 0 ? ['user root'] : []),
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const child = spawn('mosquitto', ['-c', file], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (cause) => {
        reject(new Error('mosquitto could not be started; is it installed?', { cause }))
      })
    })
    this.#process = child
    await Promise.race([failed, until(() => answers(this.port), { what: 'Mosquitto to listen' })])
  }

  #optionLines(): string[] {
    const { users, tls, websockets, acl } = this.#options
    return [
      ...(websockets === true ? ['protocol websockets'] : []),
      ...(users === undefined
        ? ['allow_anonymous true']
        : ['allow_anonymous false', `password_file ${this.#users(users)}`]),
      ...(acl === undefined ? [] : [`acl_file ${this.#write('acl', acl.join('\n'))}`]),
      ...(tls === undefined
        ? []
        : [`certfile ${this.#write('cert', tls.cert)}`, `keyfile ${this.#write('key', tls.key)}`]),
      ...(tls?.clientCa === undefined
        ? []
        : [`cafile ${this.#write('ca', tls.clientCa)}`, 'require_certificate true']),
    ]
  }

  #users(users: Readonly<Record<string, string>>): string {
    const file = this.#write('users', '')
    for (const [name, password] of Object.entries(users))
      execFileSync('mosquitto_passwd', ['-b', file, name, password], { stdio: 'pipe' })
    return file
  }

  #write(name: string, text: string): string {
    const file = join(this.#folder, name)
    writeFileSync(file, `${text}\n`, { mode: 0o600 })
    return file
  }

  #count(text: string): number {
    return readFileSync(join(this.#folder, 'log'), 'utf8').split(text).length - 1
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
