/** The command line that runs pnpm: the pnpm that runs this process, or else the one that npx fetches. */
import { delimiter, join } from 'node:path'
import { existsSync } from 'node:fs'

export function pnpm(...args: readonly string[]): [string, ...string[]] {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const isOnPath = folders.some((folder) => existsSync(join(folder, 'pnpm')))
  return isOnPath || process.platform === 'win32'
    ? ['pnpm', ...args]
    : ['npx', '-y', 'pnpm@10', ...args]
}
