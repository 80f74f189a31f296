/** What one would write with `ws` in an afternoon: `send` to each client. */
import { WebSocketServer } from 'ws'
import { servePeer } from './peer.ts'

servePeer((server) => {
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  return (text) => {
    for (const socket of sockets.clients) socket.send(text)
  }
})
