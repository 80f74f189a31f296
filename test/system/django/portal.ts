/** The example of Django as a project of its own: a copy of its files, its commands, and a Python process inside of it. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'

const run = promisify(execFile)
const EXAMPLE = new URL('../../../examples/django/', import.meta.url).pathname
const SHELL = new URL('shell.py', import.meta.url).pathname
/** Debian's own Python is the one that has Debian's Django. */
const PYTHON = '/usr/bin/python3'

export const SECRET = 'a secret of at least thirty-two bytes'

type Shell = ChildProcessByStdio<Writable, Readable, Readable>

export class Portal {
  readonly #folder: string
  readonly #environment: Record<string, string>
  #shell: Shell | null = null
  #answers: AsyncIterator<string> | null = null

  private constructor(folder: string, environment: Record<string, string>) {
    this.#folder = folder
    this.#environment = environment
  }

  /** @param environment at least `DATABASE_URL` */
  static async copy(environment: Readonly<Record<string, string>>): Promise<Portal> {
    const folder = await mkdtemp(join(tmpdir(), 'django-'))
    await cp(EXAMPLE, folder, { recursive: true })
    return new Portal(folder, {
      PATH: process.env['PATH'] ?? '',
      PYTHON,
      PYTHONDONTWRITEBYTECODE: '1',
      DEBUG: '1',
      AUTH_JWT_SECRET: SECRET,
      ...environment,
    })
  }

  /** `manage.py` with these words; answers what it printed. */
  async manage(...args: readonly string[]): Promise<string> {
    return this.#run(PYTHON, ['manage.py', ...args])
  }

  /** A script of the project. */
  async script(name: string): Promise<string> {
    return this.#run(join(this.#folder, name), [])
  }

  /** Starts the worker of the project. @returns a function that ends it */
  startWorker(): () => Promise<void> {
    const worker = spawn(PYTHON, ['manage.py', 'mqtt_worker', '--interval', '0.2'], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const closed = once(worker, 'close')
    return async () => {
      worker.kill('SIGTERM')
      await closed
    }
  }

  /** Adds a migration and runs it. */
  async migrate(name: string, text: string): Promise<void> {
    await writeFile(join(this.#folder, 'mqtt/migrations', `${name}.py`), text)
    await this.python(
      'import importlib; importlib.invalidate_caches(); call_command("migrate", verbosity=0)',
    )
  }

  /**
   * Runs Python in one process that stays, so that names and database sessions stay too.
   *
   * @throws Error with the traceback
   */
  async python(program: string): Promise<void> {
    this.#shell ??= this.#start()
    this.#answers ??= createInterface({ input: this.#shell.stdout })[Symbol.asyncIterator]()
    this.#shell.stdin.write(`${JSON.stringify(program)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('Python ended')
    const error = JSON.parse(value) as string | null
    if (error !== null) throw new Error(error)
  }

  async remove(): Promise<void> {
    const shell = this.#shell
    if (shell !== null) {
      const closed = once(shell, 'close')
      shell.kill('SIGKILL')
      await closed
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  #start(): Shell {
    return spawn(PYTHON, [SHELL], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    }) as unknown as Shell
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run(program, args, { cwd: this.#folder, env: this.#environment })
    return stdout
  }
}
