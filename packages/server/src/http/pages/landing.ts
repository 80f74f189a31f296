import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import type { AppEnv, HttpContext } from '../context.ts'

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'"

/** What a person sees who opens the server's address: the portal of the demo, or a page that says what this is. */
export function landingRoutes({ portal, basePath, callers }: HttpContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: false })
  if (portal === undefined) {
    app.get('/', (c) =>
      c.html(page(basePath, callers.open), 200, { 'content-security-policy': CSP }),
    )
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

const TOKENS = `<p>The server asks for tokens. <code>/mqtt-token</code> stands for an address of the page's own server that answers
<code>{"token": "…", "expiresIn": 600}</code> for its visitor; <code>docs/tokens.md</code> has it in several languages.</p>
`

function page(basePath: string, open: boolean): string {
  const tokenSource = open ? '' : ' data-token-src="/mqtt-token"'
  const snippet = [
    `<script type="module" src="${basePath}widgets/mqtt-status.js"${tokenSource}></script>`,
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
<p>On a page of another origin, write the address of this server before the path, and list the page's origin in <code>ALLOWED_ORIGINS</code>.</p>
${open ? '' : TOKENS}<p>For machines: <a href="${basePath}api/v1/connections">connections</a>, <a href="${basePath}healthz">health</a>,
<a href="${basePath}readyz">readiness</a>.</p>
`
}
