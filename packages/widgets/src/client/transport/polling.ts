/** Asks every few seconds, where neither sockets nor streams get through; the same messages and the same cursor. */
import type {
  Capability,
  Patch,
  Snapshot,
  Summary,
  WatchMessage,
  Welcome,
} from '@mqtt-status/protocol'
import { COMMAND_TIMEOUT_MS } from '@mqtt-status/protocol'
import { bearer, closeCode } from './http-answer.ts'
import { toJson } from '../json.ts'
import type { OpenTransport } from './transport.ts'

const EVERY_MS = 5_000
/** An answer says what was true when it was asked for: two that are this late in a row are not older than a silence may be. */
const ANSWER_MS = 7_500

type Answer = (Snapshot | Patch) & {
  readonly can: readonly Capability[]
  readonly summaries?: readonly Summary[]
  /** There are more rows after this id. */
  readonly next?: string
}

export const openPolling: OpenTransport = (src, { onOpen, onMessage, onClose }) => {
  let token: string | undefined
  let watch: WatchMessage | undefined
  let cursor: string | undefined
  let current = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const say = (message: object): void => {
    onMessage(toJson(message))
  }
  const greet = greeter(say)

  async function poll(): Promise<void> {
    clearTimeout(timer)
    current.abort()
    const { signal } = (current = new AbortController())
    const askedAt = performance.now()
    let code = 1006
    const ask = async (after: string | undefined): Promise<Answer> => {
      const response = await fetch(`${src}api/v1/connections/query`, {
        method: 'POST',
        headers: bearer(token),
        body: toJson({ ...watch, cursor, after }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      })
      code = await closeCode(response)
      if (!response.ok) throw new Error('Refused')
      return (await response.json()) as Answer
    }
    try {
      let page = await ask(undefined)
      // Pages are read one after the other: the first cursor is before all of them.
      const first = page.cursor
      greet(first ?? '', page.can)
      for (; page.next !== undefined; page = await ask(page.next)) say(page)
      say({ ...page, cursor: first })
      for (const summary of page.summaries ?? []) say(summary)
      say({ type: 'ping' })
      // Whoever was told may have closed, or asked anew.
      if (signal.aborted) return
      cursor = first
      const nextAt = askedAt + EVERY_MS * (0.8 + Math.random() * 0.4)
      timer = setTimeout(() => void poll(), nextAt - performance.now())
    } catch {
      if (!signal.aborted) onClose(code)
    }
  }

  queueMicrotask(onOpen)
  return {
    whole: true,
    send(message) {
      if (message.type === 'hello' || message.type === 'auth') token = message.token
      if (message.type === 'watch') ({ cursor } = watch = message)
      if (watch && message.type !== 'pong') void poll()
      return true
    },
    close() {
      clearTimeout(timer)
      current.abort()
    },
  }
}

/** Says what a socket would have said at first, and each time it changes. */
function greeter(say: (message: Welcome) => void): (cursor: string, can: Answer['can']) => void {
  let last = ''
  return (cursor, can) => {
    const [epoch = ''] = cursor.split('.')
    const told = toJson([epoch, can])
    if (told === last) return
    last = told
    say({
      type: 'welcome',
      session: '',
      epoch,
      now: '',
      heartbeatMs: EVERY_MS,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      expiresAt: null,
      can,
      limits: { watch: 1_000 },
    })
  }
}
