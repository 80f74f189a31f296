/** Builds what is not built yet, or has changed since the last build. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What the outputs are made of. */
const SOURCES = [
  'packages/protocol/src',
  'packages/server/src',
  'packages/server/tsdown.config.ts',
  'packages/widgets/src',
  'packages/widgets/tsdown.config.ts',
  'packages/widgets/vite.config.ts',
  'pnpm-lock.yaml',
]

/** The last file that each part of the build writes is as old as the part. */
const OUTPUTS = [
  'packages/widgets/dist/index.js',
  'packages/widgets/cdn/mqtt-status.js',
  'packages/server/dist/main.js',
]

/** @throws when a part can't be built; the compiler has printed the reason */
export async function buildIfChanged(): Promise<void> {
  if (isBuilt()) return
  console.log('Building, because something has changed since the last time:')
  const { build } = await import('./build.ts')
  await build()
}

function isBuilt(): boolean {
  const outputs = OUTPUTS.map((path) => statSync(join(root, path), { throwIfNoEntry: false }))
  const oldest = Math.min(...outputs.map((output) => output?.mtimeMs ?? 0))
  return SOURCES.every((path) => newest(join(root, path)) < oldest)
}

/** When the youngest file below a path was changed. */
function newest(path: string): number {
  const entry = statSync(path)
  if (!entry.isDirectory()) return entry.mtimeMs
  // A folder changes when a file in it is removed.
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}
