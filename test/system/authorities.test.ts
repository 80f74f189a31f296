/** docs/mqtt.md, "Certificate authorities": a real server process, a real Mosquitto with a certificate of a private authority. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Authority } from '@mqtt-status/testing/certificates'
import { Mosquitto } from '@mqtt-status/testing/mosquitto'
import { createDatabase } from '@mqtt-status/testing/postgres'
import type { TestDatabase } from '@mqtt-status/testing/postgres'
import { until } from '@mqtt-status/testing/until'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ServerProcess } from '../e2e/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'authorities-'))
const file = join(folder, 'company-ca.pem')

let authority: Authority
let broker: Mosquitto
let database: TestDatabase
let server: ServerProcess | undefined

beforeAll(async () => {
  authority = await Authority.create()
  broker = await Mosquitto.start({ tls: await authority.sign(), quiet: true })
  writeFileSync(file, authority.cert)
})

afterEach(async () => {
  await server?.end('SIGTERM')
  server = undefined
  await database?.drop()
})

afterAll(async () => {
  await broker?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Seen {
  readonly status: string
  readonly reason: string | null
}

/** Starts a server with one connection to the broker; resolves with the row once `settled` holds. */
async function dial(
  environment: Record<string, string>,
  settled: (row: Seen) => boolean,
  tls: { readonly ca: string } | null = null,
): Promise<Seen> {
  database = await createDatabase()
  const { sql } = database
  await sql`
    insert into connections (id, site_id, name, protocol, host, port, desired, tls)
    values ('a', 's1', 'A', 'mqtts', 'localhost', ${broker.port}, 'connected', ${tls && sql.json(tls)})`
  server = await ServerProcess.start({
    DATABASE_URL: database.url,
    MQTT_ALLOW_CIDRS: '127.0.0.0/8,::1/128',
    ...environment,
  })
  const read = async () => {
    const [row] = await sql<Seen[]>`select status, reason from connections where id = 'a'`
    return row !== undefined && settled(row) ? row : null
  }
  return (await until(read, { what: 'the connection to settle' })) as Seen
}

const connected = ({ status }: Seen): boolean => status === 'connected'

test('without a setting the server does not trust a private authority', async () => {
  const row = await dial({}, ({ reason }) => reason === 'tls_untrusted')
  expect(row.status).not.toBe('connected')
})

test('NODE_EXTRA_CA_CERTS adds a private authority for all connections', async () => {
  expect(await dial({ NODE_EXTRA_CA_CERTS: file }, connected)).toMatchObject({
    status: 'connected',
  })
})

test('tls.ca adds a private authority for one connection', async () => {
  expect(await dial({}, connected, { ca: authority.cert })).toMatchObject({ status: 'connected' })
})

test('NODE_OPTIONS=--use-system-ca takes the authorities of the operating system', async () => {
  // SSL_CERT_FILE is where OpenSSL, and so Node on Linux, finds the list of the system.
  const environment = { NODE_OPTIONS: '--use-system-ca', SSL_CERT_FILE: file }
  expect(await dial(environment, connected)).toMatchObject({ status: 'connected' })
})
