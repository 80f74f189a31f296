import { CLOSE_CODES } from '@mqtt-status/protocol'
import { expect, test } from 'vitest'
import { closeCode } from './http-answer.ts'

function problem(status: number, code: string): Response {
  return Response.json({ type: 'about:blank', status, code }, { status })
}

test.each([
  [problem(429, 'too_many_connections'), 'too_many_connections'],
  [problem(429, 'rate_limited'), 'rate_limited'],
  [problem(401, 'unauthorized'), 'unauthorized'],
  [problem(403, 'forbidden'), 'forbidden'],
  [problem(403, 'origin_not_allowed'), 'forbidden'],
  [problem(400, 'limit_watch'), 'bad_request'],
  [problem(413, 'payload_too_large'), 'bad_request'],
  [problem(422, 'validation'), 'bad_request'],
  [problem(503, 'database_unavailable'), 'server_error'],
  [problem(429, 'toString'), 'rate_limited'],
  [new Response('Too many', { status: 429 }), 'rate_limited'],
  [new Response('null', { status: 401 }), 'unauthorized'],
  [new Response(null, { status: 503 }), 'server_error'],
] as const)(
  'an answer over HTTP has the close code that a socket would have had (%#)',
  async (answer, name) => {
    expect(await closeCode(answer)).toBe(CLOSE_CODES[name])
  },
)

test.each([200, 302, 404, 500, 502, 504])(
  'status %i without a problem of the server counts as a broken transport',
  async (status) => {
    expect(await closeCode(new Response('<!doctype html>', { status }))).toBe(1006)
  },
)
