/**
 * Server-Sent Events over `fetch`, for networks that refuse WebSockets. A stream can't be told anything: what is watched
 * is asked anew with each change, from the last cursor on where that is possible.
 */
import type { WatchMessage } from '@mqtt-status/protocol'
import { bearer, closeCode } from './http-answer.ts'
import { toJson } from '../json.ts'
import type { OpenTransport } from './transport.ts'

/** Longer addresses are cut off or refused somewhere on the way. */
const LONGEST_URL = 2_000

export const openEventStream: OpenTransport = (src, { onOpen, onMessage, onClose }) => {
  let token: string | undefined
  let watch: WatchMessage | undefined
  let cursor: string | undefined
  let current = new AbortController()

  async function read(): Promise<void> {
    current.abort()
    const { signal } = (current = new AbortController())
    if (!watch) return
    let code = 1006
    try {
      const [url, init] = requestOf(src, { ...watch, ...(cursor && { cursor }) })
      const request = { ...init, headers: bearer(token), cache: 'no-store', signal } as const
      const answer = await fetch(url, request)
      code = await closeCode(answer)
      if (answer.ok && answer.body) await tell(answer.body, signal)
    } catch {
      // The line broke, or was let go.
    }
    if (!signal.aborted) onClose(code)
  }

  async function tell(body: NonNullable<Response['body']>, signal: AbortSignal): Promise<void> {
    for await (const event of eventsOf(body)) {
      if (signal.aborted) return
      cursor = field(event, 'id') ?? cursor
      const data = field(event, 'data')
      if (data !== undefined) onMessage(data)
    }
  }

  queueMicrotask(onOpen)
  return {
    whole: true,
    send(message) {
      switch (message.type) {
        case 'hello':
          token = message.token
          break
        case 'watch':
          watch = message
          cursor = message.cursor
          void read()
          break
        case 'auth':
          token = message.token
          void read()
          break
        case 'ping':
          // A stream answers nothing: another one does.
          void read()
          break
        default:
      }
      return true
    },
    close() {
      current.abort()
    },
  }
}

function requestOf(src: string, watch: WatchMessage): [string, RequestInit] {
  const url = new URL('sse/status', src)
  const { connections = [], sites = [], summary = [], all, cursor } = watch
  for (const [name, ids] of Object.entries({ connections, sites, summary }))
    if (ids.length > 0) url.searchParams.set(name, ids.join())
  if (all) url.searchParams.set('all', '1')
  if (cursor !== undefined) url.searchParams.set('cursor', cursor)
  // Names with a comma can't be told apart in a list.
  const isPlain = ![...connections, ...sites, ...summary].some((id) => id.includes(','))
  return isPlain && url.href.length <= LONGEST_URL
    ? [url.href, {}]
    : [`${src}sse/status`, { method: 'POST', body: toJson(watch) }]
}

async function* eventsOf(body: NonNullable<Response['body']>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const events = (text + value).split('\n\n')
    text = events.pop() ?? ''
    yield* events
  }
}

function field(event: string, name: string): string | undefined {
  return event
    .split('\n')
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2)
}
