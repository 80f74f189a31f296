/**
 * Runs the elements' tests and the end-to-end test of the live card in Chromium, Firefox and WebKit, one after the other,
 * and closes with a line that counts them. Names of engines as arguments run only those; other arguments (`--files …`)
 * go to web-test-runner, and then only that runs. An engine that is not installed fails the run.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { countOfVitest } from './counts.ts'
import { ENGINES, versionOf, whatIsMissing } from './engines.ts'
import type { Engine } from './engines.ts'

interface Count {
  readonly passed: number
  readonly failed: number
}

const root = new URL('../', import.meta.url)
const args = process.argv.slice(2)
const named = ENGINES.filter((engine) => args.includes(engine))
const rest = args.filter((arg) => !named.some((engine) => engine === arg))

const lines: string[] = []
const total = { passed: 0, failed: 0 }
function add(what: string, { passed, failed }: Count): void {
  lines.push(`${what}: ${passed} passed, ${failed} failed`)
  total.passed += passed
  total.failed += failed
}

// The live card is the built one.
if (rest.length === 0 && run('chromium', ['scripts/build.ts']) !== 0) process.exit(1)

for (const engine of named.length > 0 ? named : ENGINES) {
  const missing = await whatIsMissing(engine)
  if (missing !== null) {
    add(`${engine} (not run: ${missing})`, { passed: 0, failed: 1 })
    continue
  }
  console.log(`\n── ${(await versionOf(engine)) ?? engine} ──`)
  add(`${engine}, elements`, elements(engine))
  if (rest.length === 0) add(`${engine}, live card`, liveCard(engine))
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

function elements(engine: Engine): Count {
  return counted(engine, {
    result: 'node_modules/.cache/browser-tests.json',
    command: ['scripts/browser-tests.ts', ...rest],
    count: (json) => json as Count,
  })
}

function liveCard(engine: Engine): Count {
  const result = 'node_modules/.cache/tests-engines.json'
  return counted(engine, {
    result,
    command: [
      'node_modules/vitest/vitest.mjs',
      ...['run', '--project', 'e2e', 'test/e2e/engines.test.ts'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${result}`],
    ],
    count(json) {
      const { passed, failed, skipped } = countOfVitest(json)
      return { passed, failed: failed + skipped }
    },
  })
}

interface Suite {
  /** Where the command leaves its counts, as JSON. */
  readonly result: string
  readonly command: readonly string[]
  count(json: unknown): Count
}

function counted(engine: Engine, { result, command, count }: Suite): Count {
  const file = new URL(result, root)
  rmSync(file, { force: true })
  const status = run(engine, command)
  let found: Count = { passed: 0, failed: 0 }
  try {
    found = count(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    console.error(`${result}: no readable counts (${(error as Error).message})`)
  }
  // A run that ends badly without a failed test, or runs none, has failed all the same.
  const isBroken = found.failed === 0 && (status !== 0 || found.passed === 0)
  return isBroken ? { ...found, failed: 1 } : found
}

function run(engine: Engine, command: readonly string[]): number | null {
  const env = { ...process.env, BROWSER_ENGINE: engine }
  const cwd = fileURLToPath(root)
  return spawnSync(process.execPath, [...command], { stdio: 'inherit', env, cwd }).status
}
