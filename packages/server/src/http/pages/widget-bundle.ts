import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Hono } from 'hono'
import type { AppEnv, HttpContext } from '../context.ts'

interface Bundle {
  readonly changedMs: number
  readonly body: Uint8Array<ArrayBuffer>
  readonly etag: string
}

/** What pages load, and the file it is in, as seen from the bundle. */
const FILES = {
  'mqtt-status.js': { from: '', type: 'text/javascript; charset=utf-8' },
  'preload.css': { from: '../preload.css', type: 'text/css; charset=utf-8' },
} as const

/** The widgets, for pages of any origin: always asked for again, answered with "not modified" while they are the same. */
export function widgetRoutes({ widgets, log }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  for (const [name, { from, type }] of Object.entries(FILES)) {
    const load = loader(new URL(from, widgets.file))
    app.get(`/widgets/${name}`, async (c) => {
      c.header('access-control-allow-origin', '*')
      c.header('cross-origin-resource-policy', 'cross-origin')
      const found = await load()
      if (found === null) {
        log.warn('the widget bundle is not built')
        return c.text('The widget bundle is not built: run "pnpm build" and ask again.\n', 404)
      }
      c.header('cache-control', 'no-cache')
      c.header('etag', found.etag)
      if (c.req.header('if-none-match')?.includes(found.etag)) return c.body(null, 304)
      return c.body(found.body, 200, { 'content-type': type })
    })
  }
  return app
}

/** Reads a file again only when it has changed. */
function loader(file: URL): () => Promise<Bundle | null> {
  let bundle: Bundle | null = null
  return async () => {
    const changedMs = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    )
    if (changedMs === null) return null
    if (bundle?.changedMs === changedMs) return bundle
    const body = new Uint8Array(await readFile(file))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    return (bundle = { changedMs, body, etag })
  }
}
