/** A server to compare with: it sends each message of its parent to all clients at once. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { remark } from '../marker.ts'

/** One change: text with a marker in it, which is set to the moment of sending. */
export interface Broadcast {
  readonly text: string
  readonly sequence: number
  /** How many changes at once, one after the other. */
  readonly times: number
}

export function servePeer(attach: (server: Server) => (text: string) => void): void {
  const server = createServer()
  const broadcast = attach(server)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port })
  })
  process.on('message', ({ text, sequence, times }: Broadcast) => {
    for (let i = 0; i < times; i++) broadcast(remark(text, sequence + i))
  })
  process.on('disconnect', () => process.exit())
}
