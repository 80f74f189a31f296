/** A portal with a page of React that Node has rendered: the browser hydrates it, or creates the same page. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { Project } from './project.ts'

/** While Node renders, each way to open a connection throws. */
export const NO_NETWORK = `
for (const name of ['WebSocket', 'EventSource', 'fetch'])
  globalThis[name] = () => { throw new Error('Rendering has used ' + name) }
`

const IN_BROWSER = `
import { StrictMode } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { Portal } from './portal'

const root = document.getElementById('root') as HTMLElement
const page = <StrictMode><Portal src={root.dataset['src'] as string} /></StrictMode>
if (root.firstChild) hydrateRoot(root, page)
else createRoot(root).render(page)
`

const ON_SERVER = `${NO_NETWORK}
import { renderToString } from 'react-dom/server'
import { Portal } from './portal'

console.log(renderToString(<Portal src={process.argv[2] as string} />))
`

/** The page in both forms. */
export interface Built {
  readonly script: string
  readonly markup: string
}

export interface BuildOptions {
  /** Where in the project the page is built. */
  readonly folder: string
  /** The files of the page by their names. `portal.tsx` exports the component `Portal`, which has the prop `src`. */
  readonly files: Readonly<Record<string, string>>
  /** The address of the server. */
  readonly src: string
  readonly alias?: Readonly<Record<string, string>>
}

/** Builds the page for both sides, with the warnings of React, and has Node render it. */
export async function buildPage({ folder, files, src, alias }: BuildOptions): Promise<Built> {
  const project = new Project(inject('stranger'))
  const sources = { ...files, 'client.tsx': IN_BROWSER, 'server.tsx': ON_SERVER }
  project.write({
    ...Object.fromEntries(
      Object.entries(sources).map(([name, text]) => [`${folder}/${name}`, text]),
    ),
    [`${folder}/client.config.js`]: viteConfig({ input: 'client.tsx', alias }),
    [`${folder}/server.config.js`]: viteConfig({ input: 'server.tsx', alias, ssr: true }),
  })
  for (const config of ['client.config.js', 'server.config.js'])
    expect(await project.runIn(folder, 'vite', 'build', '--config', config)).toEqual({
      ok: true,
      output: '',
    })
  const rendered = await project.runIn(folder, 'node', 'dist/server.js', src)
  expect(rendered.ok, rendered.output).toBe(true)
  return {
    script: readFileSync(join(project.folder, folder, 'dist/client.js'), 'utf8'),
    markup: rendered.output.trim(),
  }
}

export interface ViteSettings {
  readonly input: string
  readonly alias?: Readonly<Record<string, string>> | undefined
  readonly ssr?: boolean
}

export function viteConfig({ input, alias = {}, ssr = false }: ViteSettings): string {
  return `export default ${JSON.stringify({
    logLevel: 'warn',
    mode: 'development',
    define: { 'process.env.NODE_ENV': '"development"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
    resolve: { alias },
    ...(ssr ? { ssr: { noExternal: true } } : {}),
    build: {
      ssr,
      minify: false,
      emptyOutDir: false,
      modulePreload: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input,
        // Vite's plugin for React turns off this warning about 'use client' too.
        checks: { moduleLevelDirective: false },
        output: { entryFileNames: '[name].js', codeSplitting: false },
      },
    },
  })}`
}

/** Answers a request for a token. */
export type Sign = (request: Request) => Promise<Response>

/** Serves the page with and without the markup of the server, and tokens. */
export class Portal {
  readonly url: string
  readonly #server: Server
  /** The addresses of the requests for a token. */
  readonly asked: string[] = []
  page: Built = { script: '', markup: '' }
  src = ''
  sign: Sign = async () => Response.error()

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => {
      void this.#answer(request).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers))
        response.end(await answer.text())
      })
    })
  }

  static async start(): Promise<Portal> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Portal(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer({ url = '', headers }: IncomingMessage): Promise<Response> {
    if (url.startsWith('/mqtt-token')) {
      this.asked.push(url)
      const { cookie = '' } = headers
      return this.sign(new Request(this.url + url, { headers: { cookie } }))
    }
    const { script, markup } = this.page
    if (url === '/client.js') return file('text/javascript', script)
    return file(
      'text/html; charset=utf-8',
      `<!doctype html><link rel="icon" href="data:,"><div id="root" data-src="${this.src}">${url === '/hydrated' ? markup : ''}</div><script type="module" src="/client.js"></script>`,
    )
  }
}

function file(type: string, text: string): Response {
  return new Response(text, { headers: { 'content-type': type } })
}
