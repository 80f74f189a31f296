// A portal that renders its pages on the server: no framework in the browser, only htmx, or Turbo below /turbo.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { page } from './pages.js'

const { PORT = '3000', MQTT_STATUS_URL = 'http://127.0.0.1:8001' } = process.env

/** What the portal knows itself: its plants and their names. */
const PLANTS = [
  { id: 'plant-7', name: 'Impianto 7' },
  { id: 'cascina-rossi', name: 'Cascina Rossi' },
  { id: 'marghera-a', name: 'Porto Marghera, linea A' },
]

const SCRIPTS = {
  '/htmx.js': file('node_modules/htmx.org/dist/htmx.min.js', 'text/javascript'),
  '/turbo.js': file('node_modules/@hotwired/turbo/dist/turbo.es2017-umd.js', 'text/javascript'),
  '/portal.css': file('portal.css', 'text/css'),
}

function file(name, type) {
  return { type, body: readFileSync(new URL(name, import.meta.url)) }
}

/** The last known status of each plant, for the first view; without an answer the page shows names only. */
async function lastKnown() {
  const ids = PLANTS.map(({ id }) => id).join(',')
  const address = `${MQTT_STATUS_URL}/api/v1/connections?connections=${ids}`
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(1_000) })
    const { connections } = await response.json()
    return new Map(connections.map(({ id, status }) => [id, status]))
  } catch {
    return new Map()
  }
}

async function answer({ pathname, searchParams }) {
  if (pathname in SCRIPTS) return SCRIPTS[pathname]
  const library = pathname.startsWith('/turbo') ? 'turbo' : 'htmx'
  const name = pathname.replace(/^\/turbo/, '') || '/'
  const frame = { library, statusUrl: MQTT_STATUS_URL }
  if (name === '/about') return { type: 'text/html', body: page({ ...frame, plants: null }) }
  if (name !== '/') return null
  const statuses = await lastKnown()
  const plants = PLANTS.map((plant) => ({ ...plant, status: statuses.get(plant.id) }))
  if (searchParams.get('sort') === 'name') plants.sort((a, b) => a.name.localeCompare(b.name))
  return { type: 'text/html', body: page({ ...frame, plants }) }
}

createServer(async ({ url }, response) => {
  const found = await answer(new URL(url, 'http://localhost'))
  if (found === null) return response.writeHead(404).end('There is no such page.')
  response.setHeader('content-type', `${found.type}; charset=utf-8`)
  response.end(found.body)
}).listen(Number(PORT), '127.0.0.1')
