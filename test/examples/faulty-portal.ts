/** A portal with a fault, which the checks have to find: pages that follow links by a script, and what is wrong with them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExampleSettings } from '../../scripts/examples/example.ts'
import { IDS, NAMES } from './fleet.ts'
import type { Served } from './stage.ts'

/** What is wrong with the pages; each part is optional. */
export interface Fault {
  /** A script that runs before all others. */
  readonly script?: string
  /** A script that runs after each navigation; it knows `main` and `cards`, the cards of the page that was left. */
  readonly onNavigate?: string
  /** Replaces the markup of the three cards. */
  readonly cards?: string
  /** Links load documents. */
  readonly followsLinks?: false
  /** The pages do not load the elements. */
  readonly loadsElements?: false
  readonly policy?: string
}

export class FaultyPortal implements Served {
  fault: Fault = {}
  readonly #server: Server
  readonly #statusUrl: string

  private constructor(server: Server, statusUrl: string) {
    this.#server = server
    this.#statusUrl = statusUrl
  }

  static async start({ port, statusUrl }: ExampleSettings): Promise<FaultyPortal> {
    const server = createServer()
    const portal = new FaultyPortal(server, statusUrl)
    server.on('request', ({ url = '/' }, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      const { policy } = portal.fault
      if (policy !== undefined) response.setHeader('content-security-policy', policy)
      response.end(portal.#page(url))
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return portal
  }

  async answers(url: string): Promise<void> {
    const { port } = this.#server.address() as AddressInfo
    if (new URL(url).port !== `${port}`) throw new Error(`The portal listens on ${port}`)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #page(path: string): string {
    const { script = '', followsLinks, loadsElements, onNavigate = '', cards = CARDS } = this.fault
    const elements = `<script type="module" src="${this.#statusUrl}/widgets/mqtt-status.js"></script>`
    const main = path === '/about' ? '<h1>About</h1>' : `<h1>Plants</h1>${cards}`
    return `<!doctype html>
<html lang="en"><title>Portal</title><link rel="icon" href="data:,">
<script>const statusUrl = '${this.#statusUrl}'; const kept = []; ${script}</script>
${loadsElements === false ? '' : elements}
<nav><a href="/">Plants</a> <a href="/about">About</a></nav>
<main>${main}</main>
${followsLinks === false ? '' : `<script>${FOLLOW.replace('/* onNavigate */', onNavigate)}</script>`}
</html>`
  }
}

/** Three cards without a fault. */
export const CARDS = IDS.map(
  (id) => `<mqtt-status-card connection-id="${id}" controls="show">${NAMES[id]}</mqtt-status-card>`,
).join('')

const FOLLOW = `
document.querySelector('nav').addEventListener('click', async (event) => {
  event.preventDefault()
  const { href } = event.target
  const text = await (await fetch(href)).text()
  const cards = [...document.querySelectorAll('mqtt-status-card')]
  const main = document.querySelector('main')
  main.innerHTML = new DOMParser().parseFromString(text, 'text/html').querySelector('main').innerHTML
  history.pushState(null, '', href)
  /* onNavigate */
})`
