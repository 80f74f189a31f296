import { SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { OPEN, viewOnly } from './scope.ts'
import { createVerify, mintToken } from './tokens.ts'

const SETTINGS = {
  kind: 'secret',
  maxTtlS: 604_800,
  secret: 'a secret of at least thirty-two bytes',
  issuer: 'portal',
} as const
const verify = createVerify(SETTINGS)

function sign(claims: Record<string, unknown>, secret: string = SETTINGS.secret): Promise<string> {
  return new SignJWT({ iss: 'portal', exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

test('the claims of a token select the rows and the actions that it permits', async () => {
  const scope = await verify(
    await sign({ sub: 'me', sites: ['s1'], connections: ['c9'], scope: 'view control dance' }),
  )
  expect(scope).toMatchObject({ subject: 'me', can: ['view', 'control'], control: true })
  expect(scope.permits('c1', 's1')).toBe(true)
  expect(scope.permits('c9', 's2')).toBe(true)
  expect(scope.permits('c1', 's2')).toBe(false)
})

test('a token without a scope permits viewing only, and without names it permits no row', async () => {
  const scope = await verify(await sign({ sub: 'me' }))
  expect(scope.can).toEqual(['view'])
  expect(scope.permits('c1', 's1')).toBe(false)
})

test('a token whose scope lacks view permits no row', async () => {
  expect((await verify(await sign({ sites: '*', scope: 'control' }))).permits('c1', 's1')).toBe(
    false,
  )
})

test('tokens of different subjects with equal views have equal keys; other views have other keys', async () => {
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

test('the refusal of a token has the reason, and never quotes the token', async () => {
  const tokens: [string | null, RegExp][] = [
    [null, /required/],
    ['', /required/],
    ['garbage', /not valid/],
    [await sign({}, 'another secret of thirty-two bytes!!'), /signature/],
    [await sign({ exp: 1 }), /exp/],
    [await sign({ exp: undefined }), /exp/],
    [await sign({ iss: 'another portal' }), /iss/],
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

test.each([
  ['sites', [7], /"sites" has to be "\*" or a list of texts, such as \["7"\]; not \[7\]/],
  ['sites', '7', /"sites" has to be "\*" or a list of texts/],
  ['sites', 7, /"sites" has to be "\*" or a list of texts/],
  ['sites', null, /"sites" has to be "\*" or a list of texts/],
  ['sites', ['7', 8], /"sites" has to be "\*" or a list of texts/],
  ['sites', { a: 1 }, /"sites" has to be "\*" or a list of texts/],
  ['connections', [7], /"connections" has to be "\*" or a list of texts/],
  ['scope', ['view', 'control'], /"scope" has to be one text of words/],
  ['scope', null, /"scope" has to be one text of words/],
])('the refusal of a token says how a claim is written: %s is %j', async (claim, value, why) => {
  await expect(verify(await sign({ [claim]: value }))).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringMatching(why) as string,
  })
})

const DAY_S = 86_400
const nowS = Math.floor(Date.now() / 1_000)

test.each([
  ['seven days from now', { exp: nowS + 7 * DAY_S }, null],
  ['a clock that is a few seconds ahead', { exp: nowS + 7 * DAY_S + 5 }, null],
  [
    'seven days and an hour',
    { iat: nowS, exp: nowS + 7 * DAY_S + 3_600 },
    /valid for 7d 1h, .* 7d at most/,
  ],
  ['a year', { iat: nowS, exp: nowS + 365 * DAY_S }, /valid for 365d, .* raise AUTH_MAX_TTL/],
  ['a month that is nearly over', { iat: nowS - 29 * DAY_S, exp: nowS + DAY_S }, /valid for 30d/],
  ['issued on a clock that is ahead', { iat: nowS + 60, exp: nowS + 60 }, null],
  ['the last second that JavaScript knows', { exp: 8_640_000_000_000 }, /milliseconds/],
  ['milliseconds', { exp: Date.now() + 60_000 }, /"exp" looks like milliseconds/],
  ['milliseconds that are over', { exp: Date.now() - 60_000 }, /"exp" looks like milliseconds/],
  ['milliseconds in both claims', { iat: Date.now(), exp: Date.now() + 60_000 }, /milliseconds/],
  ['more than any date', { exp: 1e300 }, /milliseconds/],
  ['a text', { exp: String(nowS + 60) }, /exp/],
])('a token may not be valid for longer than AUTH_MAX_TTL: %s', async (_, times, refused) => {
  const verifying = verify(await sign({ sites: '*', ...times }))
  if (refused === null) await expect(verifying).resolves.toMatchObject({ can: ['view'] })
  else
    await expect(verifying).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(refused) as string,
    })
})

test('AUTH_MAX_TTL changes how long tokens may be valid', async () => {
  const short = createVerify({ ...SETTINGS, maxTtlS: 3_600 })
  await expect(short(await sign({ exp: nowS + 3_000 }))).resolves.toMatchObject({ can: ['view'] })
  await expect(short(await sign({ exp: nowS + 2 * 3_600 }))).rejects.toThrow(/accepts 1h at most/)
})

test.each([
  ['view', [], ['view']],
  ['view dance', ['dance'], ['view']],
  ['  view   control ', [], ['view', 'control']],
  ['View', ['View'], []],
  ['view,control', ['view,control'], []],
  ['openid profile', ['openid', 'profile'], []],
  ['', [], []],
])('the scope "%s" has the unknown words %j and permits %j', async (scope, unknown, can) => {
  expect(await verify(await sign({ scope }))).toMatchObject({ unknownScope: unknown, can })
})

test.each([
  [{ sites: ['s1'] }, null],
  [{ sites: '*', scope: 'view control manage' }, null],
  [{ connections: ['c1'], scope: ' view  control ' }, null],
  [{ sites: '*', scope: 'read' }, /lacks the word "view", and the server does not know "read"\./],
  [{ sites: '*', scope: 'view,control' }, /lacks the word "view", .* know "view,control"\./],
  [{ sites: '*', scope: 'control' }, /lacks the word "view"\. Its words are view, control and/],
  [{ sites: '*', scope: '' }, /permits nothing: .* lacks the word "view"\./],
  [{ sites: '*', scope: 'view write' }, /^The server does not know "write" in the claim "scope"/],
  [{}, /permits nothing: it names neither sites nor connections\. Add the claim "sites"/],
  [{ site: 's1' }, /names neither sites nor connections/],
  [{ sites: [], connections: [], scope: 'view control' }, /names neither/],
])('the claims %j have the notice %s', async (claims, notice) => {
  const scope = await verify(await sign(claims))
  if (notice) expect(scope.notice).toMatch(notice)
  else expect(scope.notice).toBeNull()
  expect(viewOnly(scope).notice).toBe(scope.notice)
})

test('the scope of open mode has no notice', () => {
  expect(OPEN.notice).toBeNull()
})

test('the scope abridges unknown words of a long claim', async () => {
  const scope = Array.from({ length: 50 }, (_, i) => `${i}${'x'.repeat(500)}`).join(' ')
  const { unknownScope } = await verify(await sign({ scope }))
  expect(unknownScope.length).toBe(10)
  expect(unknownScope[0]).toBe(`0${'x'.repeat(39)}…`)
})

test('the server accepts a token that it has signed', async () => {
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
