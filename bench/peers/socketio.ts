import { Server } from 'socket.io'
import { servePeer } from './peer.ts'

servePeer((server) => {
  const io = new Server(server, {
    transports: ['websocket'],
    perMessageDeflate: false,
    pingInterval: 600_000,
  })
  return (text) => {
    io.emit('patch', text)
  }
})
