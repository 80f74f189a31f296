/** Whole servers on one database; each can be stopped and started again, as a rolling restart does. */
import { readConfig } from '../../src/config/config.ts'
import { createLog } from '../../src/log.ts'
import { createServer } from '../../src/server.ts'
import type { StatusServer } from '../../src/server.ts'

const log = createLog({ level: 'silent', format: 'json' })

export class Node {
  readonly #environment: Record<string, string>
  #server: StatusServer | null = null
  #url: string | null = null

  constructor(environment: Record<string, string>) {
    this.#environment = environment
  }

  /** `null` while it is stopped. */
  get url(): string | null {
    return this.#url
  }

  async start(): Promise<void> {
    const { config } = readConfig({
      PORT: '0',
      SUPERVISOR: 'off',
      DATABASE_POOL: '2',
      FEED_POLL_MS: '1000',
      SOCKETS_PER_ADDRESS: '0',
      SOCKETS_PER_TOKEN: '0',
      HANDSHAKES_PER_ADDRESS: '0',
      ...this.#environment,
    })
    this.#server = createServer(config, log, {
      widgetBundle: new URL('nodes.ts', import.meta.url),
    })
    this.#url = (await this.#server.start()).url
  }

  /** @throws if it leaves a socket, a subscriber or a watch behind */
  async stop(): Promise<void> {
    const server = this.#server
    this.#url = null
    this.#server = null
    await server?.stop()
    const left = Object.entries(server?.open ?? {}).filter(([, count]) => count > 0)
    if (left.length > 0) throw new Error(`Left behind: ${JSON.stringify(left)}`)
  }
}
