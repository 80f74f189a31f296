/** A folder of `examples/`: a project outside of the workspace that uses the packed packages. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { readManifest, ROOT } from '../packages.ts'
import { pnpm } from '../pnpm.ts'
import { PACKED_SERVER } from './packed.ts'
import { Program } from './program.ts'
import { findPython } from './python.ts'

const FOLDER = join(ROOT, 'examples')

/** The names of all examples. */
export const EXAMPLES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'package.json')))
  .toSorted()

/** What the programs of an example are started with. */
export interface ExampleSettings {
  /** Where the example listens. */
  readonly port: number
  /** Where mqtt-status listens. */
  readonly statusUrl: string
  /** The database of mqtt-status, for an example that has tables of its own in it. */
  readonly databaseUrl?: string
  /** Further variables, such as the secret of the tokens for examples that sign them. */
  readonly environment?: Readonly<Record<string, string>>
}

export class Example {
  readonly name: string
  readonly folder: string
  readonly #scripts: Readonly<Record<string, string>>
  readonly #hasDependencies: boolean
  readonly #isPython: boolean

  /** @throws if there is no such example */
  constructor(name: string) {
    if (!EXAMPLES.includes(name))
      throw new Error(`No example is called "${name}"; there are ${EXAMPLES.join(', ')}.`)
    this.name = name
    this.folder = join(FOLDER, name)
    const { scripts = {}, dependencies = {} } = readManifest(this.folder)
    this.#scripts = scripts
    this.#hasDependencies = Object.keys(dependencies).length > 0
    this.#isPython = existsSync(join(this.folder, 'requirements.txt'))
  }

  /** @throws if the machine lacks the Python packages that the example needs, and pnpm does not install */
  check(): void {
    if (!this.#isPython || findPython() !== null) return
    throw new Error(
      `examples/${this.name} needs Python with the packages of examples/${this.name}/requirements.txt. On Debian run\n` +
        '  apt-get install python3-django python3-psycopg2 python3-jwt\n' +
        'The variable PYTHON names another Python.',
    )
  }

  /**
   * Installs what the lockfile lists, unless the same is installed already.
   *
   * @param packed the hash of the packed packages
   * @throws with the output of pnpm
   */
  async install(packed: string): Promise<void> {
    if (!this.#hasDependencies) return
    const stamp = join(this.folder, 'node_modules/.stamp')
    const wanted = createHash('sha256').update(packed)
    for (const file of ['package.json', 'pnpm-lock.yaml'])
      wanted.update(readFileSync(join(this.folder, file)))
    const content = wanted.digest('hex')
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === content) return
    // pnpm does not look into a folder that it has installed already.
    rmSync(join(this.folder, 'node_modules'), { recursive: true, force: true })
    const args = ['--ignore-workspace', '--frozen-lockfile', '--prefer-offline']
    await this.#run(pnpm('install', ...args), ownOf(process.env)).catch((error: unknown) => {
      throw new Error(
        `examples/${this.name} can't be installed. If its lockfile is out of date, run "pnpm install --ignore-workspace --no-frozen-lockfile" there.\n${(error as Error).message}`,
      )
    })
    writeFileSync(stamp, content)
  }

  /** @throws with the output of the framework */
  async build(settings: ExampleSettings): Promise<void> {
    if (this.#scripts['build'] === undefined) return
    await this.#run([process.execPath, '--run', 'build'], this.#environment(settings))
  }

  /** Starts the development server, or the server of what was built. */
  start(script: 'dev' | 'start', settings: ExampleSettings): Program {
    const found = this.#scripts[script] === undefined ? 'start' : script
    return new Program({
      name: `examples/${this.name}`,
      command: [process.execPath, '--run', found],
      folder: this.folder,
      environment: this.#environment(settings),
    })
  }

  #environment(settings: ExampleSettings): NodeJS.ProcessEnv {
    const { port, statusUrl, databaseUrl, environment } = settings
    return {
      ...ownOf(process.env),
      // Next.js reports to its maintainers that it runs, unless this is set.
      NEXT_TELEMETRY_DISABLED: '1',
      PORT: `${port}`,
      MQTT_STATUS_URL: statusUrl,
      ...(this.#isPython && { PYTHON: findPython() ?? '' }),
      ...(databaseUrl !== undefined && {
        DATABASE_URL: databaseUrl,
        // A relative path, because a shell splits this text at its spaces.
        MQTT_STATUS: `node ${relative(this.folder, PACKED_SERVER)}`,
      }),
      ...environment,
    }
  }

  async #run(
    [program, ...args]: readonly [string, ...string[]],
    environment: NodeJS.ProcessEnv,
  ): Promise<void> {
    try {
      await promisify(execFile)(program, args, {
        cwd: this.folder,
        env: { ...environment, CI: '1' },
        maxBuffer: 64 * 1024 * 1024,
      })
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`examples/${this.name}: ${(error as Error).message}\n${stdout}${stderr}`, {
        cause: error,
      })
    }
  }
}

/** Without what a test run sets and without a database of the user; this Node comes before others. */
function ownOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DATABASE_URL$)/
  const own = Object.entries(environment).filter(([name]) => !foreign.test(name))
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), environment['PATH']].join(delimiter),
  }
}
