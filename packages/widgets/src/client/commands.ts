/** Commands go up over HTTP; what becomes of them comes down with the rows. */
import type { Action, CommandAccepted } from '@mqtt-status/protocol'
import { bearer } from './http-answer.ts'
import { newRequestId } from './request-id.ts'

/** How a command ended. `timeout`: no confirmation yet, which is no failure: a late push still counts. */
export interface Outcome {
  readonly outcome: 'done' | 'failed' | 'timeout' | 'unknown' | 'prevented'
  /** Why it failed: a code of the server, `unreachable` or `offline`. */
  readonly code: string | null
}

export interface CommandRequest {
  readonly src: string
  readonly token: string | null
  readonly id: string
  readonly action: Action
  /** Makes a repetition harmless. */
  readonly requestId: string | undefined
}

/** @returns what the server has accepted, or the code of why it was not */
export async function sendCommand({
  src,
  token,
  id,
  action,
  requestId = newRequestId(),
}: CommandRequest): Promise<CommandAccepted | string> {
  let answer: Partial<CommandAccepted> & { code?: string } = {}
  try {
    const url = `${src}api/v1/connections/${encodeURIComponent(id)}/${action}`
    const headers = { 'idempotency-key': requestId, ...bearer(token) }
    const response = await fetch(url, { method: 'POST', headers })
    answer = (await response.json().catch(() => ({}))) as typeof answer
  } catch {
    return 'unreachable'
  }
  return answer.connection ? (answer as CommandAccepted) : (answer.code ?? 'internal')
}
