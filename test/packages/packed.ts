/** The published packages, and how npm would deliver them. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

export type Conditions = Readonly<Record<string, string>>

export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | Conditions>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  /** The file that content delivery networks hand to script tags. */
  readonly unpkg?: string
}

export interface Published {
  readonly folder: string
  readonly manifest: Manifest
}

/** One key of `exports`, as a user writes it in an import. */
export interface Entry {
  readonly specifier: string
  readonly packageName: string
  /** The file for Node and for production builds. */
  readonly file: string
  /** `script`: only a browser can run it. */
  readonly kind: 'module' | 'script' | 'json' | 'css'
  /** The framework without which the entry makes no sense. */
  readonly peer: string | null
}

/** Every package of the workspace that is not private. */
export function published(): readonly Published[] {
  const packages = join(ROOT, 'packages')
  return readdirSync(packages)
    .map((name) => join(packages, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => !manifest.private)
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

export function entriesOf(manifest: Manifest): readonly Entry[] {
  const { name, exports, unpkg, peerDependencies = {} } = manifest
  return Object.entries(exports).map(([key, target]) => {
    // A pattern would let files be imported that no test has seen.
    if (key.includes('*')) throw new Error(`${name}: exports must name "${key}" entry by entry`)
    const file = typeof target === 'string' ? target : target['default']
    if (file === undefined) throw new Error(`${name}: "${key}" has no default file`)
    const peer = Object.keys(peerDependencies).find((one) => key === `./${one}`) ?? null
    return {
      specifier: name + key.slice(1),
      packageName: name,
      file,
      kind: file === unpkg ? 'script' : kindOf(file),
      peer,
    }
  })
}

function kindOf(file: string): 'module' | 'json' | 'css' {
  if (file.endsWith('.css')) return 'css'
  return file.endsWith('.json') ? 'json' : 'module'
}

/** @returns the tarball of each package by its name */
export async function packInto(folder: string): Promise<Readonly<Record<string, string>>> {
  const tarballs: Record<string, string> = {}
  for (const { folder: cwd, manifest } of published()) {
    if (!existsSync(join(cwd, 'dist')))
      throw new Error(`${manifest.name} is not built. Run pnpm build first.`)
    const { stdout } = await promisify(execFile)('pnpm', ['pack', '--pack-destination', folder], {
      cwd,
      shell: process.platform === 'win32',
    })
    const line = stdout.trim().split('\n').at(-1) ?? ''
    tarballs[manifest.name] = join(folder, basename(line))
  }
  return tarballs
}
