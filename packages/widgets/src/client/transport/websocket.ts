/**
 * A WebSocket for one attempt. The library's own reconnecting is switched off: it has no jitter, sends what was queued
 * long after anybody meant it, and can't be told to try now. The link decides about all that.
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
 * A browser without WebSockets, or one that refuses this address (a page on https, a server on http), throws, which the
 * library does not expect: to the link it is a line that was closed.
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
