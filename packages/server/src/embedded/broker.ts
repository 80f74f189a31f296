import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Aedes } from 'aedes'
import type { AuthenticateError, Client } from 'aedes'

export interface BrokerOptions {
  /** The broker listens on this port if it is free, else on any other. @default any */
  readonly port?: number
  /** The return code of CONNACK for a user, 0 = accepted, and how long the broker delays it, in ms. */
  readonly admit: (username: string | undefined) => { returnCode: number; afterMs: number }
}

/** A real MQTT broker in this process, on loopback only, for the dataloggers of the demo. */
export interface DemoBroker {
  readonly port: number
  publish(topic: string, payload: string): void
  /** Closes the connection of a user without a DISCONNECT. */
  drop(username: string): void
  stop(): Promise<void>
}

/** Starts a broker on loopback. */
export async function startBroker({ port = 0, admit }: BrokerOptions): Promise<DemoBroker> {
  const clients = new Map<string, Client>()
  const broker = await Aedes.createBroker({
    authenticate: (client, username, ...[, done]) => {
      const { returnCode, afterMs } = admit(username)
      const answer = (): void => {
        if (returnCode !== 0) {
          done(refusal(returnCode), false)
          return
        }
        if (username !== undefined) clients.set(username, client)
        done(null, true)
      }
      if (afterMs === 0) answer()
      else void delay(afterMs, undefined, { ref: false }).then(answer)
    },
  })
  const server = createServer((socket) => {
    // Connections that break belong to the demo.
    socket.on('error', () => undefined)
    broker.handle(socket)
  })
  return {
    port: await listen(server, port),
    publish(topic, payload) {
      const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const
      broker.publish(packet, () => undefined)
    },
    drop(username) {
      clients.get(username)?.conn.destroy()
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      await new Promise<void>((resolve) => {
        broker.close(resolve)
      })
      await closed
    },
  }
}

function refusal(returnCode: number): AuthenticateError {
  // The enum exists in the types only, so the code can name no member.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
  return Object.assign(new Error('refused'), { returnCode })
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    if (port === 0) throw error
    return listen(server, 0)
  }
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
