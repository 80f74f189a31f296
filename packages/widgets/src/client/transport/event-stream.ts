/** Server-Sent Events over `fetch`, for networks that refuse WebSockets. `EventSource` can't send a token. */
import { LOST } from '@mqtt-status/protocol'
import { toJson } from '../json.ts'
import { bearer, closeCode } from './http-answer.ts'
import { openHttpSocket } from './http-socket.ts'
import type { ReadRequest } from './http-socket.ts'
import type { OpenTransport } from './transport.ts'

/** Some proxies cut off or refuse longer addresses. */
const LONGEST_URL = 2_000

export const openEventStream: OpenTransport = openHttpSocket(readStream)

async function readStream({ src, token, watch, signal, hear }: ReadRequest): Promise<number> {
  let code: number = LOST
  try {
    const [url, init] = requestOf(src, watch)
    const request = { ...init, headers: bearer(token), cache: 'no-store', signal } as const
    const answer = await fetch(url, request)
    code = await closeCode(answer)
    if (!answer.ok || !answer.body) return code
    for await (const event of eventsOf(answer.body)) {
      const data = field(event, 'data')
      if (data !== undefined) hear(data, field(event, 'id'))
    }
  } catch {
    // The network has broken, or the signal has aborted.
  }
  return code
}

function requestOf(src: string, watch: ReadRequest['watch']): [string, RequestInit] {
  const url = new URL('sse/status', src)
  const { connections = [], sites = [], summary = [], all, cursor } = watch
  for (const [name, ids] of Object.entries({ connections, sites, summary }))
    if (ids.length > 0) url.searchParams.set(name, ids.join())
  if (all) url.searchParams.set('all', '1')
  if (cursor !== undefined) url.searchParams.set('cursor', cursor)
  // A comma separates the names of a list, so a list can't hold a name with a comma.
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
