/** The published packages of the workspace, and their tarballs as npm delivers them. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { pnpm } from './pnpm.ts'

export const ROOT: string = join(import.meta.dirname, '..')

export type Conditions = Readonly<Record<string, string>>

export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | Conditions>>
  /** What the tarball contains besides package.json. */
  readonly files?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  /** The file that content delivery networks deliver to script tags. */
  readonly unpkg?: string
}

export interface Published {
  readonly folder: string
  readonly manifest: Manifest
}

/** All packages of the workspace that are not private. */
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

/**
 * Packs all published packages.
 *
 * @returns the tarball of each package by its name
 */
export async function packInto(folder: string): Promise<Readonly<Record<string, string>>> {
  const tarballs: Record<string, string> = {}
  for (const { folder: cwd, manifest } of published()) {
    if (!existsSync(join(cwd, 'dist')))
      throw new Error(`${manifest.name} is not built. Run pnpm build first.`)
    const [program, ...args] = pnpm('pack', '--pack-destination', folder)
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      shell: process.platform === 'win32',
    })
    const line = stdout.trim().split('\n').at(-1) ?? ''
    tarballs[manifest.name] = join(folder, basename(line))
  }
  return tarballs
}
