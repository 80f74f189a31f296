/**
 * Here `reconnecting-websocket` makes one attempt: it opens the socket, closes it unless it opens within 10 s, and closes
 * it on demand. The link does what else the library could do, retries and back-off, because the library has no jitter
 * between attempts, sends queued messages after a reconnect, and can't retry at once.
 */
import { LOST, SUBPROTOCOL } from '@mqtt-status/protocol'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { toJson } from '../json.ts'
import type { OpenTransport } from './transport.ts'

export const openWebSocket: OpenTransport = (src, { onOpen, onMessage, onClose }) => {
  const socket = new ReconnectingWebSocket(`${src.replace(/^http/, 'ws')}ws/status`, SUBPROTOCOL, {
    maxRetries: 0,
    maxEnqueuedMessages: 0,
    connectionTimeout: 10_000,
    minReconnectionDelay: 0,
    WebSocket: attempt(() => {
      onClose(LOST)
    }),
  })
  socket.addEventListener('open', onOpen)
  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    onMessage(data)
  })
  socket.addEventListener('close', ({ code }) => {
    onClose(code)
  })
  return {
    send(message) {
      const isOpen = socket.readyState === socket.OPEN
      if (isOpen) socket.send(toJson(message))
      return isOpen
    },
    close() {
      socket.close()
    },
  }
}

/**
 * `new WebSocket` throws where a browser has no WebSockets, or blocks the address (a page on https, a server on http). The
 * library expects no exception, so it gets a socket that is closed, and the link gets the close code of a broken one.
 */
function attempt(refused: () => void): unknown {
  function Attempt(url: string, protocols: string): object {
    try {
      return new WebSocket(url, protocols)
    } catch {
      queueMicrotask(refused)
      return Object.assign(new EventTarget(), { readyState: 3, close: () => undefined })
    }
  }
  return Object.assign(Attempt, { CLOSING: 2 })
}
