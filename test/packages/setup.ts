/** Packs the published packages and installs them into two projects, once for all test files of this suite. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { packInto, readManifest, ROOT } from '../../scripts/packages.ts'
import { Project } from './project.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A project with nothing but the packed packages and a compiler, laid out as npm does it. */
    readonly empty: string
    /** A project with the frameworks as well, laid out as pnpm does it. */
    readonly stranger: string
    /** The packed packages, by name. */
    readonly tarballs: Readonly<Record<string, string>>
  }
}

const STRANGER = join(ROOT, 'test/packages/stranger')
/** What every project has that compiles for Node. */
const COMPILER = ['typescript', '@types/node', 'vite']

export default async function setup(suite: TestProject): Promise<() => void> {
  const outside = mkdtempSync(join(tmpdir(), 'mqtt-status-packed-'))
  const undo = (): void => {
    rmSync(outside, { recursive: true, force: true })
  }
  try {
    const tarballs = await packInto(outside)
    const { dependencies = {} } = readManifest(STRANGER)
    const empty = join(outside, 'empty')
    await Project.install({
      folder: empty,
      tarballs,
      dependencies: Object.fromEntries(COMPILER.map((name) => [name, dependencies[name] ?? ''])),
      linker: 'hoisted',
    })
    const stranger = join(outside, 'stranger')
    const lock = readFileSync(join(STRANGER, 'pnpm-lock.yaml'), 'utf8')
    await Project.install({ folder: stranger, tarballs, dependencies, linker: 'isolated', lock })
    suite.provide('empty', empty)
    suite.provide('stranger', stranger)
    suite.provide('tarballs', tarballs)
  } catch (error) {
    undo()
    throw error
  }
  return undo
}
