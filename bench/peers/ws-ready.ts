/** The same with the frame built once and written to each raw socket. */
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { Frame } from '../../packages/server/src/hub/frames.ts'
import { servePeer } from './peer.ts'

servePeer((server) => {
  const sockets = new Set<Duplex>()
  const upgrade = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.on('upgrade', (request, socket, head) => {
    upgrade.handleUpgrade(request, socket, head, () => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
  })
  return (text) => {
    const frame = new Frame('patch', text).websocket
    for (const socket of sockets) socket.write(frame)
  }
})
