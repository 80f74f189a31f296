/** Sends commands over HTTP. Their results arrive with the rows. */
import type { Action, CommandAccepted } from '@mqtt-status/protocol'
import { bearer } from './transport/http-answer.ts'
import { readRow } from './incoming.ts'
import { newRequestId } from './request-id.ts'

/** How a command ended. `timeout`: not confirmed in time, which is no failure, because a late row may still confirm it. */
export interface Outcome {
  readonly outcome: 'done' | 'failed' | 'timeout' | 'unknown' | 'prevented'
  /** Why it failed: a code of the server, `unreachable` or `offline`. */
  readonly code: string | null
  /** How long the server refuses other commands (`Retry-After`), in ms. */
  readonly retryAfterMs?: number
}

/** Why the server has not accepted a command. */
export type Refusal = Pick<Outcome, 'retryAfterMs'> & { readonly code: string }

export interface CommandRequest {
  readonly src: string
  readonly token: string | null
  readonly id: string
  readonly action: Action
  /** The `Idempotency-Key`: the server executes a repeated request once. */
  readonly requestId: string | undefined
}

/** @returns what the server has accepted, or why it was not */
export async function sendCommand({
  src,
  token,
  id,
  action,
  requestId = newRequestId(),
}: CommandRequest): Promise<CommandAccepted | Refusal> {
  let answer: Partial<CommandAccepted> & { code?: string } = {}
  try {
    const url = `${src}api/v1/connections/${encodeURIComponent(id)}/${action}`
    const headers = { 'idempotency-key': requestId, ...bearer(token) }
    const response = await fetch(url, { method: 'POST', headers })
    answer = (await response.json().catch(() => ({}))) as typeof answer
    if (response.status === 429) return limited(answer.code, response)
  } catch {
    return { code: 'unreachable' }
  }
  const connection = readRow(answer.connection)
  return connection
    ? ({ ...answer, connection } as CommandAccepted)
    : { code: answer.code ?? 'internal' }
}

/** A proxy may answer 429 too, without a `code`. The client ignores a `Retry-After` that is a date. */
function limited(code: string | undefined, { headers }: Response): Refusal {
  const retryAfterMs = Number(headers.get('retry-after')) * 1_000
  return { code: code ?? 'rate_limited', ...(retryAfterMs > 0 ? { retryAfterMs } : {}) }
}
