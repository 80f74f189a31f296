/** Commands go up over HTTP; what becomes of them comes down with the rows. */
import type { Action, CommandAccepted, Connection } from '@mqtt-status/protocol'

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
  readonly requestId: string
}

/** A refusal of the server, or of the network. */
export class CommandError extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** @throws CommandError */
export async function sendCommand({
  src,
  token,
  id,
  action,
  requestId,
}: CommandRequest): Promise<CommandAccepted> {
  let response: Response
  try {
    response = await fetch(`${src}api/v1/connections/${encodeURIComponent(id)}/${action}`, {
      method: 'POST',
      headers: {
        'idempotency-key': requestId,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    })
  } catch {
    throw new CommandError('unreachable')
  }
  const body = (await response.json().catch(() => ({}))) as Partial<CommandAccepted> & {
    code?: string
  }
  if (!response.ok || !body.connection || body.generation === undefined)
    throw new CommandError(body.code ?? 'internal')
  return body as CommandAccepted
}

/** Whether a row answers a command: it was acted on, and has come to rest where the action leads, or failed. */
export function isAnswered(row: Connection, action: Action, generation: number): boolean {
  // The writer of an observed row may not know generations.
  if (row.managed && row.observedGeneration < generation) return false
  return (
    row.status === 'failed' ||
    row.status === (action === 'disconnect' ? 'disconnected' : 'connected')
  )
}
