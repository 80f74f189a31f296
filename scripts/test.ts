/**
 * Runs the suites one after the other, prints the errors of the failed tests once more and closes with a line that counts
 * all tests. Arguments name the suites to run; without arguments it runs all but `system`, whose tests need programs that a
 * fresh machine lacks, `example-checks`, whose tests wait for what never comes, and `sites`, which installs large frameworks.
 * Arguments with a slash are parts of paths: the named suites run only the files that have one of them. After `examples` an
 * argument may name an example.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { countOfVitest } from './counts.ts'
import type { Count } from './counts.ts'

interface Suite {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Where the suite leaves its counts, as JSON. */
  readonly result: string
  count(result: unknown): Count
  /** Runs only where it is named. */
  readonly onlyNamed?: boolean
}

const CACHE = 'node_modules/.cache'

function vitest(name: string): Suite {
  const result = `${CACHE}/tests-${name}.json`
  return {
    name,
    command: [
      'vitest',
      'run',
      '--project',
      name,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${result}`,
    ],
    result,
    count: countOfVitest,
  }
}

const suites: readonly Suite[] = [
  vitest('unit'),
  vitest('node'),
  {
    name: 'browser',
    command: ['node', 'scripts/browser-tests.ts'],
    result: `${CACHE}/browser-tests.json`,
    count: (json) => ({ skipped: 0, ...(json as { passed: number; failed: number }) }),
  },
  vitest('packages'),
  vitest('examples'),
  { ...vitest('example-checks'), onlyNamed: true },
  { ...vitest('sites'), onlyNamed: true },
  vitest('e2e'),
  { ...vitest('system'), onlyNamed: true },
]

function run([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function runSuite(suite: Suite): Promise<Count> {
  console.log(`\n── ${suite.name} ──`)
  rmSync(suite.result, { force: true })
  const code = await run([...suite.command, ...paths])
  let count: Count = { passed: 0, failed: 0, skipped: 0 }
  try {
    count = suite.count(JSON.parse(readFileSync(suite.result, 'utf8')))
  } catch (error) {
    console.error(`${suite.name}: left no readable counts (${(error as Error).message})`)
  }
  // A suite that fails without a failed test, or runs none, is a failure too.
  const broken = count.failed === 0 && (code !== 0 || count.passed === 0)
  return broken ? { ...count, failed: 1 } : count
}

const given = process.argv.slice(2).map((argument) => pathOfExample(argument) ?? argument)
const paths = given.filter((argument) => argument.includes('/'))
const wanted = given.filter((argument) => !argument.includes('/'))
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name))
if (unknown.length > 0) {
  console.error(
    `No suite is called ${unknown.join(', ')}; there are ${suites.map((s) => s.name).join(', ')}.`,
  )
  process.exit(2)
}

mkdirSync(CACHE, { recursive: true })
// The end-to-end suite shows what users get: the built server and the built bundle.
if ((await run(['node', 'scripts/build.ts'])) !== 0) process.exit(1)

/** The tests of an example, if the suite of the examples is to run. */
function pathOfExample(name: string): string | null {
  const path = `test/examples/${name}.test.ts`
  return process.argv.includes('examples') && existsSync(path) ? path : null
}

const counts = new Map<string, Count>()
for (const suite of suites) {
  if (wanted.length === 0 ? suite.onlyNamed !== true : wanted.includes(suite.name))
    counts.set(suite.name, await runSuite(suite))
}

const failures = [...counts.values()].flatMap((count) => count.failures ?? [])
if (failures.length > 0) console.log(`\n── failed ──\n\n${failures.join('\n\n')}`)

console.log()
const total = { passed: 0, failed: 0, skipped: 0 }
for (const [name, { passed, failed, skipped }] of counts) {
  console.log(`${name.padEnd(8)} ${passed} passed, ${failed} failed, ${skipped} skipped`)
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}
console.log(
  `\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
)
process.exit(total.failed > 0 || total.skipped > 0 ? 1 : 0)
