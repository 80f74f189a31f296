/** `pnpm example <name>`: starts one of the examples with the packed packages and a demo of mqtt-status, or runs its tests. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '@mqtt-status/testing/free-port'
import { describeFolder, reachableFolder } from '../packages/server/src/embedded/postgres-folder.ts'
import type { PostgresFolder } from '../packages/server/src/embedded/postgres-folder.ts'
import { postgresUser } from '../packages/server/src/embedded/postgres-user.ts'
import { buildIfChanged } from './built.ts'
import { Example, EXAMPLES } from './examples/example.ts'
import { pack, PACKED_SERVER } from './examples/packed.ts'
import { Program } from './examples/program.ts'
import { ROOT } from './packages.ts'

const HELP = `Usage: npx -y pnpm@10 example <name> [--test]

Starts an example in its development server, beside a demo of mqtt-status. Both use the packages as npm would deliver them.

Examples: ${EXAMPLES.join(', ')}

  --test   builds the example, starts its production server, and runs the shared tests in a browser
  --help   prints this text

The example listens on port 3000 and mqtt-status on port 8001, or each on a free port if another program uses that one.`

/** The demo accepts every page on loopback; this secret only lets the examples sign tokens. */
const SECRET = 'a-secret-for-the-examples-on-loopback'

try {
  await main()
} catch (error) {
  console.error(`✗ ${(error as Error).message}`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    allowPositionals: true,
    options: { test: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help === true) {
    console.log(HELP)
    return
  }
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new Error(`Name one example.\n\n${HELP}`)
  const example = new Example(name)
  example.check()
  if (values.test === true) test(name)
  else await run(example)
}

function test(name: string): void {
  const command = ['scripts/test.ts', 'examples', `test/examples/${name}.test.ts`]
  const { status } = spawnSync(process.execPath, command, { cwd: ROOT, stdio: 'inherit' })
  process.exitCode = status ?? 1
}

async function run(example: Example): Promise<void> {
  await buildIfChanged()
  const packed = await step('The packages are packed', pack)
  await step(`examples/${example.name} is installed`, () => example.install(packed))
  const [port, statusPort] = [await preferred(3000), await preferred(8001)]
  const url = `http://127.0.0.1:${port}`
  const statusUrl = `http://127.0.0.1:${statusPort}`
  const data = describeFolder(
    await reachableFolder(join(ROOT, 'examples/.demo'), await postgresUser()),
  )
  // Until here a signal ends the process as usual; from here on it stops two programs first.
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  /** Resolves with whether the work was done before a signal. */
  const done = (work: Promise<void>): Promise<boolean> =>
    Promise.race([interrupted.then(() => false), work.then(() => true)])
  const demo = startDemo(statusPort, data)
  const programs = [demo]
  try {
    const demoRuns = step('mqtt-status is running', () => demo.answers(`${statusUrl}/readyz`))
    if (await done(demoRuns)) {
      const page = example.start('dev', {
        port,
        statusUrl,
        databaseUrl: readFileSync(data.url, 'utf8').trim(),
        environment: { AUTH_JWT_SECRET: SECRET },
      })
      programs.push(page)
      if (await done(step(`examples/${example.name} is running`, () => page.answers(url)))) {
        console.log(`\n  Example      ${url}/\n  mqtt-status  ${statusUrl}/\n\nCtrl-C stops both.`)
        await Promise.race([interrupted, endOf(demo), endOf(page)])
      }
    }
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }
  console.log('Everything is stopped.')
}

function startDemo(port: number, { path }: PostgresFolder): Program {
  const { DATABASE_URL: _, ...environment } = process.env
  const options = ['--no-open', '--port', `${port}`, '--folder', path]
  return new Program({
    name: 'mqtt-status demo',
    command: [process.execPath, PACKED_SERVER, 'demo', ...options],
    folder: ROOT,
    environment,
  })
}

async function endOf(program: Program): Promise<never> {
  await program.ended
  throw new Error(`One of the programs has ended by itself:\n${program.output}`)
}

async function step<T>(done: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  const result = await work()
  console.log(`✓ ${done} (${((performance.now() - begun) / 1_000).toFixed(1)} s)`)
  return result
}

/** The port if it is free, or else any free port. */
async function preferred(port: number): Promise<number> {
  const probe = createServer().listen(port, '127.0.0.1')
  try {
    await once(probe, 'listening')
    return port
  } catch {
    return freePort()
  } finally {
    probe.close()
  }
}
