/**
 * `pnpm start`: builds what is not built yet or has changed since, and runs the demo in this very process, so that
 * signals and the exit code need no forwarding. Arguments go to the demo (`--fresh`, `--port 8002`, …).
 */
import { join } from 'node:path'
import { buildIfChanged } from './built.ts'

try {
  await buildIfChanged()
} catch (error) {
  console.error(`✗ ${(error as Error).message}`)
  process.exit(1)
}

// `pnpm start -- --fresh` hands the dashes on.
const args = process.argv.slice(2).filter((arg) => arg !== '--')
const main = join(import.meta.dirname, '../packages/server/dist/main.js')
process.argv = [process.execPath, main, 'demo', ...args]
await import(main)
