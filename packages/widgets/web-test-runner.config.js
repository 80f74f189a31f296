import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { esbuildPlugin } from '@web/dev-server-esbuild'
import { defaultReporter } from '@web/test-runner'
import { chromeLauncher } from '@web/test-runner-chrome'
import { findBrowser } from '../../scripts/browser.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const result = new URL('../../node_modules/.cache/browser-tests.json', import.meta.url)

/** Every test of a suite and of the suites inside it. */
function testsOf(suite) {
  return [...suite.tests, ...suite.suites.flatMap(testsOf)]
}

/** A file that can't be loaded has no tests, and a skipped test shows nothing: both count as failed. */
function count(sessions) {
  const tests = sessions.flatMap(({ testResults }) => (testResults ? testsOf(testResults) : []))
  const passed = tests.filter((test) => test.passed).length
  const broken = sessions.filter(
    ({ passed, testResults }) =>
      !passed && (!testResults || testsOf(testResults).every((test) => test.passed)),
  ).length
  return { passed, failed: tests.length - passed + broken }
}

const countReporter = {
  onTestRunFinished({ sessions }) {
    mkdirSync(new URL('.', result), { recursive: true })
    writeFileSync(result, JSON.stringify(count(sessions)))
  },
}

export default {
  files: 'test/browser/**/*.test.ts',
  rootDir: root,
  nodeResolve: true,
  // A page in the background gets no animation frames.
  concurrency: 1,
  testsFinishTimeout: 120_000,
  plugins: [
    esbuildPlugin({
      ts: true,
      target: 'es2022',
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    }),
  ],
  browsers: [chromeLauncher({ launchOptions: await findBrowser() })],
  reporters: [defaultReporter({ reportTestResults: true }), countReporter],
  testFramework: { config: { timeout: 10_000 } },
}
