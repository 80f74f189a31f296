/** hono's own helper, as its documentation shows it. */
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { SSEStreamingApi } from 'hono/streaming'
import { servePeer } from './peer.ts'

servePeer((server) => {
  const streams = new Set<SSEStreamingApi>()
  const app = new Hono()
  app.get('/', (c) =>
    streamSSE(c, async (stream) => {
      streams.add(stream)
      await new Promise<void>((resolve) => {
        stream.onAbort(() => {
          streams.delete(stream)
          resolve()
        })
      })
    }),
  )
  const respond = getRequestListener(app.fetch)
  server.on('request', (request, response) => void respond(request, response))
  return (text) => {
    for (const stream of streams) void stream.writeSSE({ event: 'patch', data: text })
  }
})
