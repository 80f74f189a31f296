/** The files of the demo's pages on a small HTTP server of the test, with given headers. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PORTAL } from '../../packages/server/src/embedded/portal.ts'

const WIDGETS = new URL('../../packages/widgets/', import.meta.url)

export interface ServedFile {
  readonly type: string
  readonly body: string | URL
}

const BUNDLES: Readonly<Record<string, ServedFile>> = {
  '/widgets/mqtt-status.js': {
    type: 'text/javascript',
    body: new URL('cdn/mqtt-status.js', WIDGETS),
  },
  '/widgets/preload.css': { type: 'text/css', body: new URL('preload.css', WIDGETS) },
}

export class Pages {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** @param files in addition to the demo's, by path */
  static async start(
    headers: Readonly<Record<string, string>>,
    files: Readonly<Record<string, ServedFile>> = {},
  ): Promise<Pages> {
    const portal = Object.entries(PORTAL).map(
      ([path, { file, type }]) => [path, { body: file, type }] as const,
    )
    const all = new Map<string, ServedFile>([
      ...portal,
      ...Object.entries(BUNDLES),
      ...Object.entries(files),
    ])
    const server = createServer((request, response) => {
      const found = all.get(new URL(request.url ?? '', 'http://x').pathname)
      if (found === undefined) {
        response.writeHead(404).end()
        return
      }
      const { type, body } = found
      void Promise.resolve(typeof body === 'string' ? body : readFile(body)).then((bytes) => {
        response.writeHead(200, { ...headers, 'content-type': type }).end(bytes)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Pages(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
