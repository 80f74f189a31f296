/** The two ways to the same messages. */
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { ServerMessage } from '@mqtt-status/protocol'
import { WebSocket } from 'ws'
import type { Wire } from './reader.ts'

export const websocket: Wire = ({ url, token, watch, onFrame, onClose }) => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws/status`, ['mqtt-status.v1'])
  const say = (message: unknown): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }
  socket.on('open', () => {
    say({ type: 'hello', ...(token === null ? {} : { token }) })
    say({ type: 'watch', id: 1, ...watch })
  })
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as ServerMessage
    if (message.type === 'ping') say({ type: 'pong' })
    onFrame(message, (data as Buffer).length)
  })
  socket.on('error', () => undefined)
  socket.on('close', onClose)
  return {
    close: () => {
      socket.terminate()
    },
    pause: (paused) => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (paused) socket.pause()
      else socket.resume()
    },
  }
}

export const eventStream: Wire = ({ url, token, watch, onFrame, onClose }) => {
  const { cursor, ...filter } = watch
  let response: IncomingMessage | null = null
  const call = request(`${url}/sse/status`, {
    method: 'POST',
    agent: false,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(cursor === undefined ? {} : { 'last-event-id': cursor }),
    },
  })
  call.on('error', () => undefined)
  call.on('close', () => {
    onClose(0)
  })
  call.on('response', (answer) => {
    response = answer
    answer.on('error', () => undefined)
    let text = ''
    answer.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1]
        if (data !== undefined) onFrame(JSON.parse(data) as ServerMessage, Buffer.byteLength(data))
      }
    })
  })
  call.end(JSON.stringify(filter))
  return {
    close: () => call.destroy(),
    pause: (paused) => {
      if (paused) response?.pause()
      else response?.resume()
    },
  }
}
