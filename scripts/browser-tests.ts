/** Runs the elements' tests in a browser and closes with a line that counts them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const widgets = new URL('packages/widgets/', root)
const result = new URL('node_modules/.cache/browser-tests.json', root)

interface Count {
  readonly passed: number
  readonly failed: number
}

mkdirSync(new URL('.', result), { recursive: true })
rmSync(result, { force: true })

const runner = spawn(
  fileURLToPath(new URL('node_modules/.bin/wtr', widgets)),
  process.argv.slice(2),
  { cwd: fileURLToPath(widgets), stdio: 'inherit', shell: process.platform === 'win32' },
)
const [code] = (await once(runner, 'exit')) as [number | null]

const { passed, failed } = readCount()
console.log(`browser: ${passed} passed, ${failed} failed`)
// A run that ends badly, or finds no tests at all, is no success.
process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : 1

function readCount(): Count {
  try {
    return JSON.parse(readFileSync(result, 'utf8')) as Count
  } catch {
    return { passed: 0, failed: 0 }
  }
}
