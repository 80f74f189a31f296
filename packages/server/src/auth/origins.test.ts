import { expect, test } from 'vitest'
import { admit } from './origins.ts'

const OPEN = { open: true, allowedOrigins: ['https://portal.example.com'] }
const CLOSED = { open: false, allowedOrigins: ['https://portal.example.com'] }
const HOST = '127.0.0.1:8001'

function verdict(
  rules: Parameters<typeof admit>[0],
  origin: string | undefined,
  host: string | undefined = HOST,
): string {
  const admission = admit(rules, { origin, host })
  return admission.kind === 'refused' ? admission.code : admission.kind
}

test.each([
  'http://127.0.0.1:5173',
  'http://localhost:3000',
  'http://[::1]:9',
  'http://127.9.9.9',
  'http://portal.localhost',
  'https://portal.example.com',
  'HTTPS://Portal.Example.com',
  `http://${HOST}`,
])('in open mode a page from %s may do everything', (origin) => {
  expect(verdict(OPEN, origin)).toBe('full')
})

test.each([
  'null',
  '',
  'https://evil.example',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'http://localhost@evil.example',
  'http://evil.example/http://localhost',
  'http://localhost:3000/path',
  'file://localhost',
  'https://portal.example.com.evil.example',
  'https://portal.example.com:444',
  'http://portal.example.com',
])('in open mode a page from %j may only look', (origin) => {
  expect(verdict(OPEN, origin)).toBe('view')
})

test.each([
  'evil.example',
  'localhost.evil.example:8001',
  '',
  '192.168.1.10:8001',
  'a@127.0.0.1',
  '127.0.0.1/x',
  undefined,
])('in open mode the host %j is refused: a foreign name may point here', (host) => {
  expect(admit(OPEN, { origin: undefined, host })).toEqual({
    kind: 'refused',
    code: 'host_not_allowed',
  })
})

test.each(['localhost:8001', '127.0.0.1', '[::1]:8001', 'LOCALHOST:8001'])(
  'open mode accepts the host %j',
  (host) => {
    expect(verdict(OPEN, undefined, host)).toBe('full')
  },
)

test('with authentication the server admits listed origins and its own, with any host', () => {
  expect(verdict(CLOSED, 'https://portal.example.com', 'status.example.com')).toBe('full')
  expect(verdict(CLOSED, 'https://status.example.com', 'status.example.com')).toBe('full')
  expect(verdict(CLOSED, 'https://evil.example', 'status.example.com')).toBe('origin_not_allowed')
  expect(verdict(CLOSED, 'http://localhost:3000', 'status.example.com')).toBe('origin_not_allowed')
  expect(verdict(CLOSED, 'null', 'status.example.com')).toBe('origin_not_allowed')
  expect(verdict(CLOSED, undefined, 'status.example.com')).toBe('full')
})

test('a star allows every origin', () => {
  expect(verdict({ open: false, allowedOrigins: '*' }, 'https://evil.example')).toBe('full')
})
