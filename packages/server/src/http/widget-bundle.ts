import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Hono } from 'hono'
import type { AppEnv, HttpContext } from './context.ts'

interface Bundle {
  readonly changedMs: number
  readonly body: Uint8Array<ArrayBuffer>
  readonly etag: string
}

/** The widgets, for pages of any origin: always asked for again, answered with "not modified" while they are the same. */
export function widgetRoutes({ widgets, log }: HttpContext): Hono<AppEnv> {
  let bundle: Bundle | null = null

  async function load(): Promise<Bundle | null> {
    const changedMs = await stat(widgets.file).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    )
    if (changedMs === null) return null
    if (bundle?.changedMs === changedMs) return bundle
    const body = new Uint8Array(await readFile(widgets.file))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    return (bundle = { changedMs, body, etag })
  }

  const app = new Hono<AppEnv>({ strict: false })
  app.get('/widgets/mqtt-status.js', async (c) => {
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
    return c.body(found.body, 200, { 'content-type': 'text/javascript; charset=utf-8' })
  })
  return app
}
