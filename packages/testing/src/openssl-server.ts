import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** A TLS server of the system's OpenSSL (`openssl s_server`), for alerts that Node's own server never sends. */
export class OpensslServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  /**
   * @param args of `s_server`; a text in PEM form stands for a file with it
   * @throws when no `openssl` is installed
   */
  static async start(args: readonly string[]): Promise<OpensslServer> {
    const folder = mkdtempSync(join(tmpdir(), 'openssl-'))
    const port = await freePort()
    const files = args.map((arg, i) => {
      if (!arg.startsWith('-----BEGIN')) return arg
      const file = join(folder, `${i}.pem`)
      writeFileSync(file, `${arg}\n`, { mode: 0o600 })
      return file
    })
    const child = spawn(
      'openssl',
      ['s_server', '-quiet', '-accept', `127.0.0.1:${port}`, ...files],
      {
        // It ends with its standard input.
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    )
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (cause) => {
        reject(new Error('openssl could not be started; is it installed?', { cause }))
      })
      child.once('exit', (code) => {
        reject(new Error(`openssl s_server ended with ${code}`))
      })
    })
    failed.catch(() => undefined)
    await Promise.race([failed, until(() => answers(port), { what: 'openssl to listen' })])
    return new OpensslServer(port, child, folder)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve))
      this.#child.kill('SIGKILL')
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
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
