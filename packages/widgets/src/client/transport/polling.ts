/** Sends a request every 5 s, where neither WebSockets nor streams get through. */
import type { Capability, Patch, Snapshot, Summary } from '@mqtt-status/protocol'
import { COMMAND_TIMEOUT_MS, LOST } from '@mqtt-status/protocol'
import { bearer, closeCode } from './http-answer.ts'
import { openHttpSocket } from './http-socket.ts'
import type { ReadRequest } from './http-socket.ts'
import { toJson } from '../json.ts'
import type { OpenTransport } from './transport.ts'

const EVERY_MS = 5_000
/** An answer is as old as its request. After two answers in a row that took this long, the rows are no older than a silence may be. */
const ANSWER_MS = 7_500

type Answer = (Snapshot | Patch) & {
  readonly can: readonly Capability[]
  readonly notice?: string
  readonly summaries?: readonly Summary[]
  /** There are more rows after this id. */
  readonly next?: string
}

export const openPolling: OpenTransport = openHttpSocket(poll)

async function poll({ src, token, watch, signal, hear }: ReadRequest): Promise<number> {
  let code: number = LOST
  let { cursor } = watch
  const greet = greeter(hear)
  const ask = async (after?: string): Promise<Answer> => {
    const response = await fetch(`${src}api/v1/connections/query`, {
      method: 'POST',
      headers: bearer(token),
      body: toJson({ ...watch, cursor, after }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    })
    code = await closeCode(response)
    if (!response.ok) throw new Error(`The server answered with status ${response.status}`)
    return (await response.json()) as Answer
  }
  try {
    for (;;) {
      const askedAt = performance.now()
      let page = await ask()
      // The server reads each page anew, so the cursor of the first one is valid for all.
      const first = page.cursor
      greet(first ?? '', page)
      for (; page.next !== undefined; page = await ask(page.next)) hear(toJson(page))
      hear(toJson({ ...page, cursor: first }), first)
      for (const summary of page.summaries ?? []) hear(toJson(summary))
      hear(toJson({ type: 'ping' }))
      cursor = first
      await pause(askedAt + EVERY_MS * (0.8 + Math.random() * 0.4) - performance.now(), signal)
    }
  } catch {
    return code
  }
}

/** @throws when the signal aborts */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new Error('Aborted'))
    })
  })
}

/** Delivers a `welcome` at the begin of a read, and whenever the epoch or the capabilities change. */
function greeter(hear: ReadRequest['hear']): (cursor: string, answer: Answer) => void {
  let last = ''
  return (cursor, { can, notice }) => {
    const [epoch = ''] = cursor.split('.')
    const key = toJson([epoch, can, notice])
    if (key === last) return
    last = key
    hear(
      toJson({
        type: 'welcome',
        epoch,
        heartbeatMs: EVERY_MS,
        commandTimeoutMs: COMMAND_TIMEOUT_MS,
        can,
        notice,
      }),
    )
  }
}
