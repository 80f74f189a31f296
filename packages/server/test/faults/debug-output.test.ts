/** Whatever the environment asks for, no output of the process contains a password or a token. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '@mqtt-status/testing/free-port'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const AUTH_SECRET = 'planted-secret-of-the-server-32-bytes'
const PASSWORD = 'planted-password-of-the-broker'
const KEY = `k1:${Buffer.alloc(32, 7).toString('base64')}`

let database: TestDatabase
let broker: Mosquitto
let server: ChildProcess

beforeAll(async () => {
  broker = await Mosquitto.start({ users: { planted: PASSWORD } })
})

afterEach(async () => {
  const exit = once(server, 'exit')
  server.kill('SIGKILL')
  await exit
  await database.drop()
})

afterAll(async () => {
  await broker.stop()
})

const SECTIONS =
  'net,tls,http,http2,stream,child_process,undici,fetch,websocket,timer,module,esm,cluster,fs,worker'

test.each([
  { name: 'DEBUG=*', environment: { DEBUG: '*' } },
  {
    name: 'DEBUG of the MQTT libraries',
    environment: { DEBUG: 'mqttjs*,mqtt-packet*', DEBUG_DEPTH: '9' },
  },
  { name: 'NODE_DEBUG of everything', environment: { NODE_DEBUG: '*' } },
  { name: 'NODE_DEBUG of each section', environment: { NODE_DEBUG: SECTIONS } },
  {
    name: 'all of it, with traces and warnings',
    environment: {
      DEBUG: '*',
      DEBUG_HIDE_DATE: '1',
      DEBUG_SHOW_HIDDEN: '1',
      NODE_DEBUG: '*',
      PGOPTIONS: '-c client_min_messages=debug5',
      NODE_OPTIONS:
        '--trace-warnings --trace-deprecation --trace-uncaught --trace-sigint --trace-exit',
    },
  },
])('$name shows no secret', async ({ environment }) => {
  database = await createDatabase()
  const port = await freePort()
  let output = ''
  server = spawn(process.execPath, [MAIN, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      PORT: String(port),
      LOG_LEVEL: 'debug',
      AUTH_JWT_SECRET: AUTH_SECRET,
      MQTT_SECRET_KEYS: KEY,
      MQTT_ALLOW_CIDRS: '127.0.0.0/8',
      MQTT_ALLOW_PORTS: '1-65535',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [server.stdout, server.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const url = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 40_000 })

  const { mintToken } = await import('../../src/auth/tokens.ts')
  const token = await mintToken(
    { kind: 'secret', maxTtlS: 604_800, secret: AUTH_SECRET },
    {
      subject: 'me',
      sites: '*',
      connections: [],
      can: ['view', 'control', 'manage'],
      lifetimeS: 600,
    },
  )
  // The password stands at the beginning of the body: dumps of chunks are cut off.
  const created = await fetch(`${url}/api/v1/connections`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ password: PASSWORD, username: 'planted', id: 'plant-7', siteId: 's1', name: 'Plant 7' },
      ...{ protocol: 'mqtt', host: '127.0.0.1', port: broker.port, topics: ['a'] },
      desired: 'connected',
    }),
  })
  expect(created.status).toBe(201)
  await until(async () => {
    const [row] = await database.sql`select status from connections where id = 'plant-7'`
    return row?.['status'] === 'connected'
  })
  expect(output).toContain('listening')
  const { password } = new URL(database.url)
  for (const secret of [PASSWORD, AUTH_SECRET, token, KEY.slice(3), password])
    for (const form of formsOf(secret)) expect(output).not.toContain(form)
  for (const name of ['DEBUG', 'NODE_DEBUG'])
    if (name in environment) expect(output).toContain(`${name} is ignored`)
})

/** As text, and as dumps show it: beginnings of it are enough, because dumps are cut off. */
function formsOf(secret: string): string[] {
  if (secret === '') return []
  const bytes = Buffer.from(secret).subarray(0, 12)
  const hex = bytes.toString('hex')
  return [
    secret,
    hex,
    hex.replace(/..(?=.)/g, '$& '),
    hex.replace(/..(?=.)/g, '$&:'),
    [...bytes].join(', '),
    [...bytes].join(','),
    // Three alignments of base64, without what their neighbours decide.
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(4, 14),
    ),
  ]
}
