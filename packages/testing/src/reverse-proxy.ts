import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until.ts'

/** Builds the files of one proxy in a folder of its own, and the command that runs it in the foreground. */
export interface ProxyProgram {
  readonly name: string
  /** Files to write, by name; `config` is the configuration under test. */
  files(folder: string, config: string): Readonly<Record<string, string>>
  command(folder: string): readonly [string, ...string[]]
}

/** A reverse proxy of the system, running a given configuration until the test stops it. */
export class ReverseProxy {
  readonly #folder: string
  readonly #child: ChildProcess
  #output = ''

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
  }

  /**
   * @param port the port that the configuration listens on; the promise resolves when it accepts connections
   * @throws Error with the proxy's own output if it ends first, or if the program is not installed
   */
  static async start(program: ProxyProgram, config: string, port: number): Promise<ReverseProxy> {
    const folder = mkdtempSync(join(tmpdir(), `${program.name}-`))
    for (const [name, text] of Object.entries(program.files(folder, config))) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text, { mode: 0o600 })
    }
    const [file, ...args] = program.command(folder)
    const child = spawn(file, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: folder, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    })
    const proxy = new ReverseProxy(folder, child)
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (cause) => {
        reject(new Error(`${file} could not be started; is it installed?`, { cause }))
      })
      child.once('close', (code) => {
        reject(new Error(`${program.name} ended with ${code}:\n${proxy.#output}`))
      })
    })
    failed.catch(() => undefined)
    await Promise.race([
      failed,
      until(() => accepts(port), { what: `${program.name} to accept connections` }),
    ])
    return proxy
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, 'close')
      this.#child.kill('SIGTERM')
      await closed
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function accepts(port: number): Promise<boolean> {
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
