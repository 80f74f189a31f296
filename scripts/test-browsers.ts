/**
 * Runs the elements' tests in Chromium, Firefox and WebKit, one after the other, and closes with a line that counts
 * them. Names of engines as arguments run only those; other arguments (`--files …`) go to web-test-runner. An engine that
 * is not installed fails the run.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ENGINES, versionOf, whatIsMissing } from './engines.ts'

const script = fileURLToPath(new URL('browser-tests.ts', import.meta.url))
const result = new URL('../node_modules/.cache/browser-tests.json', import.meta.url)
const args = process.argv.slice(2)
const named = ENGINES.filter((engine) => args.includes(engine))
const rest = args.filter((arg) => !named.some((engine) => engine === arg))

const lines: string[] = []
const total = { passed: 0, failed: 0 }
for (const engine of named.length > 0 ? named : ENGINES) {
  const missing = await whatIsMissing(engine)
  if (missing !== null) {
    lines.push(`${engine}: not run: ${missing}`)
    total.failed += 1
    continue
  }
  console.log(`\n── ${(await versionOf(engine)) ?? engine} ──`)
  rmSync(result, { force: true })
  const env = { ...process.env, BROWSER_ENGINE: engine }
  const { status } = spawnSync(process.execPath, [script, ...rest], { stdio: 'inherit', env })
  const count = readCount()
  // A run that ends badly without a failed test has failed all the same.
  const failed = status === 0 ? count.failed : Math.max(1, count.failed)
  lines.push(`${engine}: ${count.passed} passed, ${failed} failed`)
  total.passed += count.passed
  total.failed += failed
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

function readCount(): { readonly passed: number; readonly failed: number } {
  try {
    return JSON.parse(readFileSync(result, 'utf8')) as { passed: number; failed: number }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
