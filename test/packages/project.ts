/** A project of a stranger: a folder outside of the workspace into which the packed packages are installed. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface Run {
  /** `true` if the program ended with exit code 0. */
  readonly ok: boolean
  /** What it wrote to both streams. */
  readonly output: string
}

export interface ProjectOptions {
  readonly folder: string
  /** The packed packages, by name. */
  readonly tarballs: Readonly<Record<string, string>>
  /** What else the project depends on, with exact versions. */
  readonly dependencies: Readonly<Record<string, string>>
  /** `isolated`: pnpm's own layout of `node_modules`; `hoisted`: the flat one of npm. */
  readonly linker: 'isolated' | 'hoisted'
  /** A pnpm-lock.yaml that pins what the dependencies depend on. */
  readonly lock?: string
}

export class Project {
  readonly folder: string

  /** @param folder of a project that is installed already */
  constructor(folder: string) {
    this.folder = folder
  }

  static async install(options: ProjectOptions): Promise<Project> {
    const { folder, tarballs, dependencies, linker, lock } = options
    const project = new Project(folder)
    const packed = Object.fromEntries(
      Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]),
    )
    project.write({
      'package.json': JSON.stringify({
        name: 'stranger',
        private: true,
        type: 'module',
        dependencies: { ...packed, ...dependencies },
      }),
      // One package depends on the other, which no registry has yet.
      'pnpm-workspace.yaml': JSON.stringify({ overrides: packed, nodeLinker: linker }),
      ...(lock === undefined ? {} : { 'pnpm-lock.yaml': lock }),
    })
    const { ok, output } = await project.run(
      'pnpm',
      'install',
      '--prefer-offline',
      '--no-frozen-lockfile',
    )
    if (!ok) throw new Error(`pnpm could not install the packed packages:\n${output}`)
    return project
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }

  /** Runs a program of the project, or of the machine, in a folder of the project. */
  async run(program: string, ...args: readonly string[]): Promise<Run> {
    return this.runIn('.', program, ...args)
  }

  async runIn(folder: string, program: string, ...args: readonly string[]): Promise<Run> {
    const bin = join(this.folder, 'node_modules/.bin')
    const own = join(bin, program)
    const { NODE_ENV: _, VITEST: __, ...env } = process.env
    try {
      const { stdout, stderr } = await promisify(execFile)(existsSync(own) ? own : program, args, {
        cwd: join(this.folder, folder),
        env: { ...env, CI: '1', PATH: [dirname(process.execPath), env['PATH']].join(delimiter) },
        maxBuffer: 64 * 1024 * 1024,
      })
      return { ok: true, output: stdout + stderr }
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as Failure
      return { ok: false, output: stdout + stderr || message }
    }
  }
}

interface Failure {
  readonly stdout?: string
  readonly stderr?: string
  readonly message: string
}
