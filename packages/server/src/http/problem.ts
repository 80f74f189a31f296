import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { PROBLEMS } from '@mqtt-status/protocol'
import type { Problem } from '@mqtt-status/protocol'
import { StatusError } from '../errors.ts'
import type { Log } from '../log.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** What a caller is told of an error; whatever is not meant for callers gets a reference into the log instead. */
export function toProblem(error: unknown, log: Log): Problem {
  if (error instanceof StatusError) {
    if (error.cause !== undefined)
      log.debug({ code: error.code, err: error.cause }, 'request refused')
    return {
      ...describe(error.code),
      detail: error.message,
      ...(error.fields.length > 0 ? { errors: error.fields } : {}),
    }
  }
  const reference = randomUUID()
  log.error({ err: error, reference }, 'request failed')
  return {
    ...describe('internal'),
    detail: `A fault of this server; its log has more under ${reference}.`,
  }
}

function describe(code: Problem['code']): Pick<Problem, 'type' | 'title' | 'status' | 'code'> {
  const status = PROBLEMS[code]
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code }
}
