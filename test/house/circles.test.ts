/** Imports between files and between folders form no circle. Lint's `no-cycle` skips imports of types; this check counts them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import type { ICruiseOptions, ICruiseResult } from 'dependency-cruiser'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = new URL('../..', import.meta.url).pathname
const SOURCES = ['protocol', 'server', 'testing', 'widgets'].map((name) => `packages/${name}/src`)

const OPTIONS: ICruiseOptions = {
  validate: true,
  metrics: true,
  // Counts imports of types, which the compiler removes.
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  exclude: { path: String.raw`\.test\.ts$` },
  ruleSet: {
    forbidden: [
      { name: 'files', severity: 'error', from: {}, to: { circular: true } },
      { name: 'folders', severity: 'error', scope: 'folder', from: {}, to: { circular: true } },
    ],
  },
}

/** @returns the circles, each as the files or folders on it, and the number of files read */
async function circlesOf(baseDir: string, folders: string[]): Promise<Found> {
  const { output } = await cruise(folders, { ...OPTIONS, baseDir })
  const { violations, totalCruised } = (output as ICruiseResult).summary
  const circles = violations.map(({ rule, from, cycle }) =>
    [`${rule.name}:`, from, ...(cycle ?? []).map(({ name }) => name)].join(' '),
  )
  return { circles, files: totalCruised }
}

interface Found {
  readonly circles: readonly string[]
  readonly files: number
}

test('no imports of the packages form a circle, those of types included', async () => {
  const { circles, files } = await circlesOf(ROOT, SOURCES)
  expect(files).toBeGreaterThan(300)
  expect(circles).toEqual([])
})

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-circles-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

test('two files that import types of each other are a circle', async () => {
  write({
    'src/a.ts': `import type { B } from './b.ts'\nexport interface A { readonly b: B }\n`,
    'src/b.ts': `import type { A } from './a.ts'\nexport interface B { readonly a: A }\n`,
  })
  const { circles } = await circlesOf(folder, ['src'])
  expect(circles.filter((one) => one.startsWith('files:'))).toHaveLength(1)
})

test('two folders whose files import types of each other are a circle', async () => {
  write({
    'src/a/top.ts': `import type { B } from '../b/bottom.ts'\nexport interface A { readonly b: B }\n`,
    'src/a/bottom.ts': `export interface C { readonly c: string }\n`,
    'src/b/bottom.ts': `export interface B { readonly b: string }\n`,
    'src/b/top.ts': `import type { C } from '../a/bottom.ts'\nexport interface D { readonly c: C }\n`,
  })
  const { circles } = await circlesOf(folder, ['src'])
  expect(circles.filter((one) => one.startsWith('folders:')).length).toBeGreaterThan(0)
  expect(circles.filter((one) => one.startsWith('files:'))).toEqual([])
})
