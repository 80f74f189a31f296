/** What `sslmode` and its relatives do, against a real Postgres that serves TLS, or does not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Authority } from '@mqtt-status/testing/certificates'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { doctor } from '../../src/cli/doctor.ts'
import { readConfig } from '../../src/config/config.ts'
import { migrate } from '../../src/db/schema/migrate.ts'
import { connectSql } from '../../src/db/postgres/sql.ts'
import { SetupError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { OwnPostgres } from '../faults/own-postgres.ts'

const PASSWORD = 'hunter2 & more'
const log = createLog({ level: 'silent', format: 'json' })

/** What the server shows: nothing, or a certificate for its names, for others, or for another time. */
type Server = 'no TLS' | 'its name' | 'another name' | 'an old date' | 'a date to come'

let own: OwnPostgres
let folder: string
let server: Server | null = null
const certificates = new Map<Server, { readonly cert: string; readonly key: string }>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'))
  own = await OwnPostgres.create()
  const authority = await Authority.create()
  certificates.set('its name', await authority.sign())
  certificates.set('another name', await authority.sign({ names: ['other.example.com'] }))
  certificates.set('an old date', await authority.sign({ notAfter: new Date(Date.now() - 60_000) }))
  certificates.set(
    'a date to come',
    await authority.sign({ notBefore: new Date(Date.now() + 3_600_000) }),
  )
  const client = await authority.sign({ names: ['app'] })
  authority.revoke(certificates.get('another name') ?? client)
  save('ca.pem', authority.cert)
  const stranger = await Authority.create('Stranger')
  const strange = await stranger.sign({ names: ['app'] })
  save('stranger.pem', stranger.cert)
  save('strange-client.pem', strange.cert)
  save('strange-client.key', strange.key)
  save('client.pem', client.cert)
  save('client.key', client.key)
  save('revoked.pem', await authority.revocations())
  save('empty.pem', '')
  await own.sql.unsafe(`create role app login password '${PASSWORD}'; create role device login`)
  await own.write('ca.pem', authority.cert)
  await own.write(
    'pg_hba.conf',
    [
      // One role by its password, wherever it comes from; one that has to use TLS; one by its certificate.
      'host all postgres 127.0.0.1/32 scram-sha-256',
      'hostssl all device 127.0.0.1/32 trust clientcert=verify-ca',
      'host all app 127.0.0.1/32 scram-sha-256',
    ].join('\n'),
  )
})

afterAll(async () => {
  await own.remove()
  rmSync(folder, { recursive: true })
})

function save(name: string, content: string): void {
  writeFileSync(join(folder, name), content)
}

/** Serves what the case asks for; sessions that are open already keep what they have. */
async function serve(wanted: Server): Promise<void> {
  if (server === wanted) return
  const certificate = certificates.get(wanted)
  if (certificate !== undefined) {
    await own.write('server.crt', certificate.cert)
    await own.write('server.key', certificate.key)
  }
  await own.sql.unsafe(`alter system set ssl = ${certificate === undefined ? 'off' : 'on'}`)
  await own.sql`alter system set ssl_ca_file = 'ca.pem'`
  await own.restart()
  server = wanted
}

/** As an operator would write it. */
function urlOf(query: string, { host = 'localhost', user = 'app' } = {}): string {
  const { port, pathname } = new URL(own.url)
  const login = user === 'app' ? `app:${encodeURIComponent(PASSWORD)}` : user
  return `postgres://${login}@${host}:${port}${pathname}?${query.replaceAll('FOLDER', folder)}`
}

/** `plain`, or the version of TLS. */
async function connect(url: string): Promise<string> {
  const pool = connectSql(readConfig({ DATABASE_URL: url }).config.database.address, {
    max: 1,
    applicationName: 'test-tls',
  })
  try {
    const [found] = await pool<{ ssl: boolean; version: string }[]>`
      select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`
    return found?.ssl ? found.version : 'plain'
  } finally {
    await pool.end({ timeout: 1 })
  }
}

/** The output of a server at its start. */
async function refusalOf(url: string): Promise<string> {
  const pool = connectSql(readConfig({ DATABASE_URL: url }).config.database.address, {
    max: 1,
    applicationName: 'test-tls',
  })
  try {
    await migrate(pool, log, { schema: null })
  } catch (error) {
    expect(error).toBeInstanceOf(SetupError)
    return (error as SetupError).message
  } finally {
    await pool.end({ timeout: 1 })
  }
  throw new Error(`${url} is not refused`)
}

const CA = 'sslrootcert=FOLDER/ca.pem'
const STRANGER = 'sslrootcert=FOLDER/stranger.pem'

test.each<[Server, string, string, object?]>([
  ['no TLS', '', 'plain'],
  ['no TLS', 'sslmode=prefer', 'plain'],
  ['no TLS', 'sslmode=allow', 'plain'],
  ['no TLS', 'sslmode=disable', 'plain'],
  ['its name', '', 'TLSv1.3'],
  ['its name', 'sslmode=disable', 'plain'],
  ['its name', 'sslmode=prefer', 'TLSv1.3'],
  ['its name', 'sslmode=require', 'TLSv1.3'],
  ['its name', 'sslmode=require&channel_binding=require', 'TLSv1.3'],
  ['its name', 'sslmode=no-verify', 'TLSv1.3'],
  ['its name', `sslmode=require&${CA}`, 'TLSv1.3'],
  ['its name', `sslmode=verify-ca&${CA}`, 'TLSv1.3'],
  ['its name', `sslmode=verify-full&${CA}`, 'TLSv1.3'],
  ['its name', `sslmode=verify-full&${CA}`, 'TLSv1.3', { host: '127.0.0.1' }],
  ['its name', `sslmode=verify-full&${CA}&hostaddr=127.0.0.1`, 'TLSv1.3'],
  ['its name', `sslmode=verify-full&${CA}&sslcrl=FOLDER/revoked.pem`, 'TLSv1.3'],
  ['its name', `ssl=true&${CA}`, 'TLSv1.3'],
  ['its name', 'ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory', 'TLSv1.3'],
  ['its name', 'sslmode=require&sslnegotiation=direct', 'TLSv1.3'],
  ['its name', 'sslmode=require&ssl_max_protocol_version=TLSv1.2', 'TLSv1.2'],
  ['its name', 'sslmode=require&sslsni=0', 'TLSv1.3'],
  [
    'its name',
    `sslmode=verify-full&${CA}&sslcert=FOLDER/client.pem&sslkey=FOLDER/client.key`,
    'TLSv1.3',
    { user: 'device' },
  ],
  ['another name', 'sslmode=require', 'TLSv1.3'],
  ['another name', `sslmode=require&${CA}`, 'TLSv1.3'],
  ['another name', `sslmode=verify-ca&${CA}`, 'TLSv1.3'],
])('a server with %s, %s: %s', async (wanted, query, expected, place) => {
  await serve(wanted)
  expect(await connect(urlOf(query, place))).toBe(expected)
})

const NO_TLS = /does not speak TLS.*\n.*sslmode=disable/
const OUT_OF_TIME = /certificate of the database is not valid now.*\n.*clock/
const UNTRUSTED = /certificate.*not trusted.*\n.*sslrootcert/

test.each<[Server, string, RegExp, object?]>([
  ['no TLS', 'sslmode=require', NO_TLS],
  ['no TLS', 'sslmode=no-verify', NO_TLS],
  ['no TLS', `sslmode=verify-full&${CA}`, NO_TLS],
  ['no TLS', 'sslmode=require&sslnegotiation=direct', NO_TLS],
  ['its name', 'sslmode=verify-full', UNTRUSTED],
  ['its name', 'sslmode=verify-ca', UNTRUSTED],
  ['its name', 'sslrootcert=system', UNTRUSTED],
  ['its name', 'ssl=true', UNTRUSTED],
  ['its name', 'sslaccept=strict', UNTRUSTED],
  ['its name', `sslmode=require&${STRANGER}`, UNTRUSTED],
  ['its name', `sslmode=verify-ca&${STRANGER}`, UNTRUSTED],
  ['its name', `sslmode=verify-full&${STRANGER}`, UNTRUSTED],
  ['its name', 'sslmode=require', /client certificate/, { user: 'device' }],
  ['another name', `sslmode=verify-full&${CA}`, /not for this host.*\n.*other\.example\.com/],
  [
    'another name',
    `sslmode=verify-full&${CA}`,
    /not for this host.*\n.*127\.0\.0\.1/,
    { host: '127.0.0.1' },
  ],
  [
    'its name',
    `sslmode=verify-ca&${CA}&sslcert=FOLDER/strange-client.pem&sslkey=FOLDER/strange-client.key`,
    /database.*\n.*sslcert/,
    { user: 'device' },
  ],
  ['its name', 'sslmode=require&ssl_max_protocol_version=TLSv1.1', /TLS.*\n.*versions of TLS/],
  ['an old date', `sslmode=verify-full&${CA}`, OUT_OF_TIME],
  ['an old date', `sslmode=verify-ca&${CA}`, OUT_OF_TIME],
  ['an old date', `sslmode=require&${CA}`, OUT_OF_TIME],
  ['a date to come', `sslmode=verify-full&${CA}`, OUT_OF_TIME],
  ['another name', `sslmode=verify-ca&${CA}&sslcrl=FOLDER/revoked.pem`, /certificate.*revoked/],
])('a server with %s refuses %s: %s', async (wanted, query, expected, place) => {
  await serve(wanted)
  const refusal = await refusalOf(urlOf(query, place))
  expect(refusal).toMatch(expected)
  expect(refusal).not.toContain('hunter2')
})

test('a role that has to use TLS connects without sslmode, as with psql', async () => {
  await serve('its name')
  await own.write(
    'pg_hba.conf',
    'host all postgres 127.0.0.1/32 scram-sha-256\nhostssl all app 127.0.0.1/32 scram-sha-256',
  )
  await own.sql`select pg_reload_conf()`
  expect(await connect(urlOf(''))).toBe('TLSv1.3')
  const refusal = await refusalOf(urlOf('sslmode=disable'))
  expect(refusal).toMatch(/pg_hba\.conf/)
  expect(refusal).not.toContain('hunter2')
})

test('notifications arrive over TLS, too, and the doctor passes with them', async () => {
  await serve('its name')
  const lines: string[] = []
  await own.sql.unsafe('create schema mqtt_status authorization app')
  const url = urlOf(`sslmode=verify-full&${CA}`)
  const pool = connectSql(url, { max: 1, applicationName: 'test-tls' })
  await migrate(pool, log, { schema: null })
  await pool.end()
  await doctor(
    {
      environment: { DATABASE_URL: url, LISTEN_DATABASE_URL: url },
      version: '0.0.0',
      terminal: false,
      progress: () => undefined,
      print: (line) => lines.push(line),
      signal: () => new AbortController().signal,
    },
    {},
    { adopt: false, json: false },
  )
  expect(lines.join('\n')).toContain('✓ listen: a notification took')
})
