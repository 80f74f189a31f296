/**
 * A WebSocket for one attempt. The library's own reconnecting is switched off: it has no jitter, sends what was queued
 * long after anybody meant it, and can't be told to try now. The link decides about all that.
 */
import { SUBPROTOCOL } from '@mqtt-status/protocol'
import type { ClientMessage } from '@mqtt-status/protocol'
import ReconnectingWebSocket from 'reconnecting-websocket'
import type { Transport, TransportListener } from './transport.ts'

const OPEN = 1

export function openWebSocket(src: string, listener: TransportListener): Transport {
  const url = `${src.replace(/^http/, 'ws')}ws/status`
  const socket = new ReconnectingWebSocket(url, SUBPROTOCOL, {
    maxRetries: 0,
    maxEnqueuedMessages: 0,
    connectionTimeout: 10_000,
    minReconnectionDelay: 0,
  })
  let done = false

  socket.addEventListener('open', () => {
    if (!done) listener.onOpen()
  })
  socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (!done && typeof data === 'string') listener.onMessage(data)
  })
  socket.addEventListener('close', ({ code }) => {
    if (done) return
    done = true
    listener.onClose(code)
  })

  return {
    send(message: ClientMessage): boolean {
      if (done || socket.readyState !== OPEN) return false
      socket.send(JSON.stringify(message))
      return true
    },
    close(): void {
      done = true
      socket.close()
    },
  }
}
