/** A hub with its HTTP server, clients, and a proxy between them that fails on demand. */
import { FaultProxy } from '@mqtt-status/testing/fault-proxy'
import { until } from '@mqtt-status/testing/until'
import { House } from '../../packages/server/test/http/house.ts'
import { createClient } from '../../packages/widgets/src/client/index.ts'
import type {
  ClientSettings,
  ClientSurroundings,
  StatusClient,
} from '../../packages/widgets/src/client/index.ts'

type Auth = NonNullable<Parameters<typeof House.open>[0]>

/** @property auth by default everything is permitted */
type WorldOptions = Parameters<typeof House.open>[1] & { readonly auth?: Auth }

export class World {
  house: House
  proxy: FaultProxy
  readonly clients: StatusClient[] = []
  readonly #timers: number
  readonly #options: WorldOptions

  private constructor(
    house: House,
    proxy: FaultProxy,
    { options, timers }: { options: WorldOptions; timers: number },
  ) {
    this.house = house
    this.proxy = proxy
    this.#options = options
    this.#timers = timers
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    // Counted before the server starts, because its own timers must not hide those of a client.
    const timers = timersNow()
    const house = await House.open(options.auth, options)
    return new World(house, await FaultProxy.start(house.port), { options, timers })
  }

  /** A client that connects through the proxy. */
  client(settings: Partial<ClientSettings> = {}, surroundings?: ClientSurroundings): StatusClient {
    const src = `http://127.0.0.1:${this.proxy.port}`
    const made = createClient({ src, ...settings }, surroundings)
    this.clients.push(made)
    return made
  }

  /** A client that connects through the proxy and watches all rows; resolves when its link is live. */
  async live(settings: Partial<ClientSettings> = {}): Promise<StatusClient> {
    const made = this.client(settings)
    made.watch({ all: true }, () => undefined)
    await isLive(made)
    return made
  }

  /** Stops the server, and starts it on the same port after `downMs`. */
  async restart(downMs = 0): Promise<void> {
    const { port, mark } = this.house
    await this.house.close()
    await new Promise((resolve) => setTimeout(resolve, downMs))
    this.house = await House.open(this.#options.auth, { ...this.#options, port, mark })
  }

  /** @throws when a client has left a socket, a subscriber or a timer */
  async close(): Promise<void> {
    for (const client of this.clients) client.close()
    // The server learns of sockets in a black hole only by its own timeout.
    await this.proxy.stop()
    await until(() => this.house.hub.size === 0, { what: 'the server to see the clients leave' })
    await this.house.close()
    await until(() => timersNow() <= this.#timers, { what: 'all timers to be gone' })
  }
}

export async function isLive(client: StatusClient, timeoutMs = 30_000): Promise<void> {
  await until(() => client.link.state === 'live', { what: 'the link to be live', timeoutMs })
}

/** Timers of this process, to be compared before and after. */
export function timersNow(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}
