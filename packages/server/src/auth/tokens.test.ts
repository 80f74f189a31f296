import { SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { OPEN, viewOnly } from './scope.ts'
import { createVerify, mintToken } from './tokens.ts'

const SETTINGS = {
  kind: 'secret',
  secret: 'a secret of at least thirty-two bytes',
  issuer: 'portal',
} as const
const verify = createVerify(SETTINGS)

function sign(claims: Record<string, unknown>, secret: string = SETTINGS.secret): Promise<string> {
  return new SignJWT({ iss: 'portal', exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

test('a token says which rows may be seen, and what may be done with them', async () => {
  const scope = await verify(
    await sign({ sub: 'me', sites: ['s1'], connections: ['c9'], scope: 'view control dance' }),
  )
  expect(scope).toMatchObject({ subject: 'me', can: ['view', 'control'], control: true })
  expect(scope.permits('c1', 's1')).toBe(true)
  expect(scope.permits('c9', 's2')).toBe(true)
  expect(scope.permits('c1', 's2')).toBe(false)
})

test('without a scope it may only look, without names it sees nothing', async () => {
  const scope = await verify(await sign({ sub: 'me' }))
  expect(scope.can).toEqual(['view'])
  expect(scope.permits('c1', 's1')).toBe(false)
})

test('without the word view nothing is seen', async () => {
  expect((await verify(await sign({ sites: '*', scope: 'control' }))).permits('c1', 's1')).toBe(
    false,
  )
})

test('equal views have equal keys, whoever they belong to; others do not', async () => {
  const key = async (claims: Record<string, unknown>) => (await verify(await sign(claims))).key
  expect(await key({ sub: 'a', sites: ['x', 'y'] })).toBe(
    await key({ sub: 'b', sites: ['y', 'x'] }),
  )
  const different = [
    { sites: ['x'] },
    { connections: ['x'] },
    { sites: '*' },
    { sites: ['x'], scope: 'view control' },
  ]
  expect(new Set(await Promise.all(different.map(key))).size).toBe(different.length)
  expect(viewOnly(OPEN).key).not.toBe(OPEN.key)
})

test('a token is refused with the reason, and never repeated', async () => {
  const tokens: [string | null, RegExp][] = [
    [null, /required/],
    ['', /required/],
    ['garbage', /not valid/],
    [await sign({}, 'another secret of thirty-two bytes!!'), /signature/],
    [await sign({ exp: 1 }), /exp/],
    [await sign({ exp: undefined }), /exp/],
    [await sign({ iss: 'somebody' }), /iss/],
    [await sign({ sites: 7 }), /sites/],
    [new UnsecuredJWT({ iss: 'portal', exp: 9_999_999_999 }).encode(), /not valid/],
  ]
  for (const [token, why] of tokens) {
    const refusal = verify(token)
    await expect(refusal).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(why) as string,
    })
    if (token)
      await expect(refusal).rejects.not.toMatchObject({
        message: expect.stringContaining(token) as string,
      })
  }
})

test('a minted token is accepted', async () => {
  const token = await mintToken(SETTINGS, {
    subject: 'me',
    sites: '*',
    connections: [],
    can: ['view', 'manage'],
    lifetimeS: 60,
  })
  const scope = await verify(token)
  expect(scope.can).toEqual(['view', 'manage'])
  expect(scope.permits('any', 'where')).toBe(true)
  expect(scope.expiresAt).toBeGreaterThan(Date.now() + 50_000)
})
