/** A command writes its data, and nothing else, to the standard output. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const PLANTS = 2_000

let database: TestDatabase
let environment: Record<string, string | undefined>

beforeAll(async () => {
  database = await createDatabase()
  await database.sql`
    insert into connections (id, site_id, name, protocol, host, port, topics)
    select 'plant-' || n, 's1', 'Plant, "' || n || '"', 'mqtt', 'broker.example.com', 1883, '["a/#"]'
    from generate_series(1, ${PLANTS}) n`
  environment = {
    PATH: process.env['PATH'],
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: 'a secret of at least thirty-two bytes',
    // What would be printed if it were heeded, and a misspelt setting to be warned about.
    DEBUG: '*',
    NODE_DEBUG: 'net,stream',
    LOG_LEVEL: 'debug',
    AUTH_JWT_SECRETS: 'x',
  }
})

afterAll(async () => {
  await database.drop()
})

function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const options = { env: environment, maxBuffer: 64 * 1024 * 1024 }
  return promisify(execFile)(process.execPath, [MAIN, ...args], options)
}

const json = (text: string): unknown => JSON.parse(text)
const line = (text: string): boolean => /^\S+\n$/.test(text)

test.each([
  { args: ['connections', 'list', '--json'], read: json },
  { args: ['connections', 'export'], read: json },
  {
    args: ['connections', 'export', '--format', 'csv'],
    read: (text: string) => parse(text, { columns: true }).length === PLANTS,
  },
  { args: ['doctor', '--json'], read: json },
  { args: ['token', '--sub', 'me', '--sites', '*'], read: line },
  { args: ['secrets', 'generate-key'], read: line },
  { args: ['--version'], read: line },
])('$args prints data and nothing else', async ({ args, read }) => {
  const { stdout } = await run(...args)
  expect(read(stdout)).toBeTruthy()
})

test('an import prints its result, and its progress on the standard error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'import-'))
  const file = join(folder, 'plants.csv')
  const rows = Array.from({ length: PLANTS }, (_, n) => `new-${n},s1,New,1.1.1.1`)
  writeFileSync(file, ['id,siteId,name,host', ...rows].join('\n'))
  const { stdout } = await run('connections', 'import', file, '--dry-run', '--json')
  expect(json(stdout)).toMatchObject({ dryRun: true, created: PLANTS })
  const inWords = await run('connections', 'import', file, '--dry-run')
  expect(inWords.stdout).toMatch(/^Nothing is wrong, and nothing was written: .*\n$/)
  expect(inWords.stderr).toContain(`1000 of ${PLANTS}`)
  rmSync(folder, { recursive: true })
})

test.each(
  [
    ['connections', 'export', '--format', 'csv'],
    ['connections', 'list'],
    ['connections', 'list', '--json'],
  ].map((args) => ({ args })),
)('the reader may cut $args off, as by "| head -1"', async ({ args }) => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await once(child, 'close')).toEqual([0, null])
  expect(stderr).not.toContain('    at ')
})

test.each(
  [
    ['dance'],
    ['connections', 'dance'],
    ['connections', 'list', '--dance'],
    ['connections', 'export', '--format', 'xml'],
    ['connections', 'import', '/nowhere.csv'],
    ['connections', 'import'],
    ['token', '--sites'],
    ['secrets', 'rotate'],
    ['migrate', '--database-url', 'postgres://127.0.0.1:1/none'],
    ['doctor', 'dance'],
  ].map((args) => ({ args })),
)('$args is refused on the standard error, and prints nothing', async ({ args }) => {
  const refusal = await run(...args).catch((error: unknown) => error as Failure)
  expect(refusal).toMatchObject({ code: 1, stdout: '' })
  expect('stderr' in refusal && refusal.stderr).toMatch(/\S/)
  expect('stderr' in refusal && refusal.stderr).not.toContain('    at ')
})

interface Failure {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const COMMANDS = [
  [],
  ...[['serve'], ['migrate'], ['doctor'], ['token'], ['demo'], ['connections'], ['secrets']],
  ...['list', 'import', 'export'].map((name) => ['connections', name]),
  ...['generate-key', 'rotate'].map((name) => ['secrets', name]),
]

test.each(COMMANDS.map((command) => ({ command })))(
  '$command has --help and --version, on the standard output',
  async ({ command }) => {
    expect((await run(...command, '--help')).stdout).toContain('Usage: mqtt-status')
    expect((await run(...command, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  },
)
