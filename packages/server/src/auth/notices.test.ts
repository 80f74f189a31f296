import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import type { Log } from '../log.ts'
import { refusalNotices, withNotices } from './notices.ts'
import { createVerify } from './tokens.ts'

const SECRET = 'a secret of at least thirty-two bytes'

function sign(claims: Record<string, unknown>, secret = SECRET): Promise<string> {
  return new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

/** Verifies tokens, and keeps what goes to the log. */
function listen() {
  const lines: [object, string][] = []
  const log = {
    warn: (fields: object, text: string) => lines.push([fields, text]),
    info: (fields: object, text: string) => lines.push([fields, text]),
  } as unknown as Log
  return {
    lines,
    verify: withNotices(createVerify({ kind: 'secret', maxTtlS: 604_800, secret: SECRET }), log),
  }
}

test('the log names a token whose scope permits nothing, once for each subject', async () => {
  const { lines, verify } = listen()
  for (const sub of ['anna', 'bert', 'anna', 'anna'])
    await verify(await sign({ sub, scope: 'see' }))
  await verify(await sign({ sub: 'carl', scope: 'view see' }))
  await verify(await sign({ sub: 'dora', scope: '' }))
  await verify(await sign({ sub: 'emil', scope: 'control' }))
  expect(lines).toEqual(
    Object.entries({ anna: ['see'], bert: ['see'], dora: [], emil: [] }).map(
      ([subject, unknown]) => [
        { subject, unknown },
        'a token permits nothing: its scope lacks the word view',
      ],
    ),
  )
})

test('a thousand subjects cause at most ten lines a minute', async () => {
  const { lines, verify } = listen()
  for (let i = 0; i < 1_000; i++) await verify(await sign({ sub: `u${i}`, scope: 'see' }))
  expect(lines.length).toBe(10)
})

test('the log names each cause of refused tokens once, and never contains a token', async () => {
  const { lines, verify } = listen()
  const refused = [
    await sign({}, 'another secret of thirty-two bytes!!'),
    await sign({ sub: 'x' }, 'another secret of thirty-two bytes!!'),
    await sign({ exp: Date.now() }),
    await sign({ exp: Math.floor(Date.now() / 1_000) + 30 * 86_400 }),
    await sign({ exp: Math.floor(Date.now() / 1_000) + 31 * 86_400 }),
    '',
    null,
  ]
  for (const token of refused) await expect(verify(token)).rejects.toThrow()
  expect(lines.map(([, text]) => text)).toEqual(Array(3).fill('a token was refused'))
  expect(JSON.stringify(lines)).not.toContain('eyJ')
})

/** What the log has after these pages were refused, each as its origin. */
async function logged(origins: readonly string[]): Promise<unknown[][]> {
  const lines: unknown[][] = []
  const log = { warn: (...line: unknown[]) => lines.push(line) } as unknown as Log
  const note = refusalNotices(log)
  for (const origin of origins) note('origin_not_allowed', { origin, host: 'status.example.com' })
  await new Promise(setImmediate)
  return lines
}

test('the log names a refused origin and the setting, once for each origin', async () => {
  const [shop, portal] = ['https://shop.example.com', 'http://localhost:3000']
  expect(await logged([shop, portal, shop, shop, portal])).toEqual(
    [shop, portal].map((origin) => [
      { origin, host: 'status.example.com' },
      'the origin of a page is not in ALLOWED_ORIGINS',
    ]),
  )
})

test('a thousand refused origins fill no log, and a long one is cut', async () => {
  const origins = Array.from({ length: 1_000 }, (_, i) => `https://${i}.${'x'.repeat(5_000)}`)
  const lines = await logged(origins)
  expect(lines).toHaveLength(10)
  expect(JSON.stringify(lines).length).toBeLessThan(10 * 400)
})

test('the log names a refused host', async () => {
  const lines: unknown[][] = []
  const note = refusalNotices({ warn: (...line: unknown[]) => lines.push(line) } as unknown as Log)
  note('host_not_allowed', { origin: undefined, host: 'evil.example.com' })
  await new Promise(setImmediate)
  expect(lines).toEqual([
    [
      { origin: '', host: 'evil.example.com' },
      'without AUTH_JWT_SECRET the server answers loopback names only',
    ],
  ])
})
