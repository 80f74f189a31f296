// Serves two static pages with a strict policy: scripts and connections go to mqtt-status, everything else stays here.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { PORT = '3000', MQTT_STATUS_URL = 'http://127.0.0.1:8001' } = process.env

const POLICY = [
  "default-src 'none'",
  `script-src ${MQTT_STATUS_URL}`,
  `connect-src ${MQTT_STATUS_URL} ${MQTT_STATUS_URL.replace('http', 'ws')}`,
  `style-src 'self' ${MQTT_STATUS_URL}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types mqtt-status',
].join('; ')

/** The pages name the address that mqtt-status has on a developer's machine. */
function page(file) {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  return { type: 'text/html', body: text.replaceAll('http://127.0.0.1:8001', MQTT_STATUS_URL) }
}

const FILES = {
  '/': page('index.html'),
  '/about': page('about.html'),
  '/portal.css': { type: 'text/css', body: readFileSync(new URL('portal.css', import.meta.url)) },
}

createServer(({ url }, response) => {
  const file = FILES[url]
  if (file === undefined) return response.writeHead(404).end()
  response.setHeader('content-security-policy', POLICY)
  response.setHeader('content-type', `${file.type}; charset=utf-8`)
  response.end(file.body)
}).listen(Number(PORT), '127.0.0.1')
