import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createVerify } from '../../src/auth/tokens.ts'
import { SETTINGS } from '../../src/config/settings.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const SECRET = 'a secret of at least thirty-two bytes'

async function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], ...environment }
  try {
    const done = await promisify(execFile)(process.execPath, [MAIN, ...args], { env })
    return { code: 0, ...done }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

test('serve --help lists every setting with its variable and its default', async () => {
  const { stdout } = await run(['serve', '--help'])
  const words = stdout.replace(/\s+/g, ' ')
  for (const { flag, variable, default: fallback } of SETTINGS) {
    expect(words).toContain(`${flag} <value>`)
    expect(words).toContain(fallback ? `(${variable}, default ${fallback})` : `(${variable})`)
  }
})

test('--version is the version of the package', async () => {
  const { stdout } = await run(['--version'])
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('a token can be used as it is printed', async () => {
  const { stdout } = await run(
    ['token', '--sub', 'me', '--sites', 'a,b', '--scope', 'view control', '--expires', '2h'],
    { AUTH_JWT_SECRET: SECRET },
  )
  const scope = await createVerify({ kind: 'secret', maxTtlS: 604_800, secret: SECRET })(
    stdout.trim(),
  )
  expect(scope).toMatchObject({ subject: 'me', can: ['view', 'control'] })
  expect(scope.permits('any', 'a')).toBe(true)
  expect(scope.permits('any', 'c')).toBe(false)
  expect((scope.expiresAt ?? 0) - Date.now()).toBeGreaterThan(7_000_000)
})

test('a token may last as long as the server accepts', async () => {
  const { code, stdout } = await run(['token', '--sites', '*', '--expires', '30d'], {
    AUTH_JWT_SECRET: SECRET,
    AUTH_MAX_TTL: '30d',
  })
  expect([code, stdout.split('.').length]).toEqual([0, 3])
})

test.each([
  [['token', '--sites', '*'], 'AUTH_JWT_SECRET is not set'],
  [['token'], 'would see nothing'],
  [['token', '--sites', '*', '--expires', 'soon'], 'found "soon"'],
  [['token', '--sites', '*', '--expires', '8d'], 'valid for more than 7d'],
  [['token', '--sites', '*', '--scope', 'rule'], 'found "rule"'],
  [['migrate'], 'DATABASE_URL'],
  [['serve', '--port', 'http'], 'PORT'],
  [['dance'], 'unknown command'],
])('%j is refused with a sentence: %s', async (args, words) => {
  const secret = words.includes('AUTH_JWT_SECRET') ? {} : { AUTH_JWT_SECRET: SECRET }
  const { code, stderr } = await run(args, secret)
  expect(code).toBe(1)
  expect(stderr).toContain(words)
  expect(stderr).not.toContain('    at ')
})
