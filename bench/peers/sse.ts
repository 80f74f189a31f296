/** Plain node:http: `response.write` to each client. */
import type { ServerResponse } from 'node:http'
import { Frame } from '../../packages/server/src/hub/frames.ts'
import { servePeer } from './peer.ts'

servePeer((server) => {
  const responses = new Set<ServerResponse>()
  server.on('request', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    responses.add(response)
    response.on('close', () => responses.delete(response))
  })
  return (text) => {
    const { sse } = new Frame('patch', text)
    for (const response of responses) response.write(sse)
  }
})
