/** The least that brings a change to a client: a trigger sends the row, one session listens, `ws` sends it on. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import postgres from 'postgres'
import { WebSocketServer } from 'ws'

export interface Hop {
  readonly port: number
  stop(): Promise<void>
}

export async function startHop(url: string): Promise<Hop> {
  const sql = postgres(url, { max: 2, onnotice: () => undefined })
  await sql.unsafe(`
    create or replace function bench_hop() returns trigger language plpgsql as $$
      begin perform pg_notify('bench_hop', new.name); return null; end $$;
    drop trigger if exists bench_hop on connections;
    create trigger bench_hop after update on connections for each row
      when (new.id = 'c9999') execute function bench_hop();`)
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  await sql.listen('bench_hop', (payload) => {
    for (const socket of sockets.clients) socket.send(payload)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
      await sql.end({ timeout: 1 })
    },
  }
}
