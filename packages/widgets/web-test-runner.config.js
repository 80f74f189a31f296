import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { esbuildPlugin } from '@web/dev-server-esbuild'
import { defaultReporter } from '@web/test-runner'
import { chromeLauncher } from '@web/test-runner-chrome'
import { ENGINES, launchOptions } from '../../scripts/engines.ts'
import { WebKit } from '../../scripts/webkit.ts'

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

/** One window of WebKit, which runs one file of tests after the other. */
function webkitLauncher() {
  const windows = new Map()
  let webkit
  return {
    name: 'WebKit',
    type: 'webkit',
    concurrency: 1,
    async initialize() {
      webkit = await WebKit.start()
    },
    async startSession(id, url) {
      const window = await webkit.open()
      windows.set(id, window)
      await window.go(url)
    },
    isActive: (id) => windows.has(id),
    getBrowserUrl: (id) => windows.get(id).url(),
    async stopSession(id) {
      await windows.get(id).close()
      windows.delete(id)
      return {}
    },
    async stop() {
      webkit?.stop()
    },
  }
}

const engine = process.env['BROWSER_ENGINE'] ?? 'chromium'
if (!ENGINES.includes(engine))
  throw new Error(`BROWSER_ENGINE is ${engine}; there are ${ENGINES.join(', ')}`)
async function launcherOf(engine) {
  if (engine === 'webkit') return webkitLauncher()
  const launcher = chromeLauncher({ launchOptions: await launchOptions(engine) })
  // It calls every browser that it launches Chrome.
  launcher.name = engine
  return launcher
}

export default {
  files: 'test/browser/**/*.test.ts',
  rootDir: root,
  nodeResolve: true,
  // A page in the background gets no animation frames.
  concurrency: 1,
  // Firefox takes longer than the usual 30 s on a busy machine.
  browserStartTimeout: 120_000,
  // A file with audits takes minutes on a busy machine; a test that hangs is ended by Mocha.
  testsFinishTimeout: 600_000,
  plugins: [
    esbuildPlugin({
      ts: true,
      target: 'es2022',
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    }),
  ],
  browsers: [await launcherOf(engine)],
  reporters: [defaultReporter({ reportTestResults: true }), countReporter],
  testFramework: { config: { timeout: 30_000 } },
}
