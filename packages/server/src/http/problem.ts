import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { PROBLEMS } from '@mqtt-status/protocol'
import type { Problem } from '@mqtt-status/protocol'
import { StatusError } from '../errors.ts'
import type { Log } from '../log.ts'

export const UPGRADE_REQUIRED = 426
/** What a client has to ask for instead (RFC 9110, 15.5.22; RFC 6455, 4.4). */
const UPGRADE = {
  connection: 'Upgrade, close',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
} as const

/** How an error is answered over HTTP (RFC 9457). */
export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function problemAnswer(error: unknown, log: Log): ProblemAnswer {
  const problem = toProblem(error, log)
  const retryAfterS = error instanceof StatusError ? error.retryAfterS : null
  return {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(problem.status === UPGRADE_REQUIRED ? UPGRADE : {}),
      ...(retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) }),
    },
    body: JSON.stringify(problem),
  }
}

/** The reply to an error. For an error other than StatusError it has only a reference, under which the log has the details. */
function toProblem(error: unknown, log: Log): Problem {
  if (error instanceof StatusError) {
    if (error.cause !== undefined)
      log.debug({ code: error.code, err: error.cause }, 'request refused')
    return {
      ...describe(error.code, error.status),
      detail: error.message,
      ...(error.fields.length > 0 ? { errors: error.fields } : {}),
      ...(error.outcome === 'unknown' ? { outcome: error.outcome } : {}),
    }
  }
  const reference = randomUUID()
  log.error({ err: error, reference }, 'request failed')
  return {
    ...describe('internal', PROBLEMS.internal),
    detail: `A fault of this server; its log has more under ${reference}.`,
  }
}

function describe(
  code: Problem['code'],
  status: number,
): Pick<Problem, 'type' | 'title' | 'status' | 'code'> {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code }
}
