import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import type { AppEnv, HttpContext } from '../context.ts'

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'"

/** What a person sees who opens the server's address: the portal of the demo, or a page that says what this is. */
export function landingRoutes({ portal, basePath }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  if (portal === undefined) {
    app.get('/', (c) => c.html(page(basePath), 200, { 'content-security-policy': CSP }))
    return app
  }
  for (const [path, { file, type }] of Object.entries(portal.files)) {
    app.get(path, async (c) =>
      c.body(new Uint8Array(await readFile(file)), 200, {
        'content-type': type,
        'content-security-policy': CSP,
        'cache-control': 'no-cache',
      }),
    )
  }
  return app
}

function page(basePath: string): string {
  const snippet = [
    `<script type="module" src="${basePath}widgets/mqtt-status.js"></script>`,
    '<mqtt-status-card connection-id="…"></mqtt-status-card>',
  ].join('\n')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>mqtt-status</title>
<h1>mqtt-status</h1>
<p>This server shows MQTT connections live. Paste this into a page, with the id of a connection:</p>
<pre>${snippet.replaceAll('<', '&lt;')}</pre>
<p>For machines: <a href="${basePath}api/v1/connections">connections</a>, <a href="${basePath}healthz">health</a>,
<a href="${basePath}readyz">readiness</a>.</p>
`
}
