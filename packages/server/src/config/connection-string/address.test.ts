import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { isSamePlace, parseAddress } from './address.ts'
import type { PostgresAddress } from './address.ts'
import { ConnectionStringFault } from './fault.ts'

const files: Readonly<Record<string, string>> = {
  '/etc/ca.pem': 'authority',
  '/etc/client.pem': 'certificate',
  '/etc/client.key': 'key',
  '/etc/hunter2.key': 'hunter2',
  '/etc/revoked.pem': 'list',
}

function readFile(path: string): string {
  const content = files[path]
  if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  return content
}

function parse(text: string): PostgresAddress {
  return parseAddress(text, readFile)
}

/** The message of the refusal; throws if the address is accepted. */
function faultOf(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConnectionStringFault) return error.message
    throw error
  }
  throw new Error(`${text} is not refused`)
}

/** An address as one line: user, password, host, port and database. */
function say({ target, user, password, database }: PostgresAddress): string {
  const where =
    target.kind === 'hosts'
      ? target.hosts.map(({ host, port }) => `${host}:${port}`).join(',')
      : target.kind === 'socket'
        ? target.path
        : 'environment'
  return `${user ?? '-'} ${password?.() ?? '-'} ${where} ${database ?? '-'}`
}

test.each([
  ['postgres://app:secret@db.example.com:6432/plants', 'app secret db.example.com:6432 plants'],
  ['postgresql://app:secret@db.example.com/plants', 'app secret db.example.com:5432 plants'],
  ['POSTGRES://app:secret@db/plants', 'app secret db:5432 plants'],
  ['postgresql+psycopg2://app:secret@db/plants', 'app secret db:5432 plants'],
  ['postgresql+asyncpg://app:secret@db/plants', 'app secret db:5432 plants'],
  ['  postgres://db/plants\n', '- - db:5432 plants'],
  ['postgres://', '- - environment -'],
  ['postgres:///plants', '- - environment plants'],
  ['postgres://app@/plants', 'app - environment plants'],
  ['postgres://db', '- - db:5432 -'],
  ['postgres://:5433/plants', '- - localhost:5433 plants'],
  ['postgres://app:@db/plants', 'app - db:5432 plants'],
  ['postgres://[::1]:5433/plants', '- - ::1:5433 plants'],
  ['postgres://[2001:db8::7]/plants', '- - 2001:db8::7:5432 plants'],
  ['postgres://a:1,b:2,c/plants', '- - a:1,b:2,c:5432 plants'],
  ['postgres://db/pl%C3%A0nts%20x', '- - db:5432 plànts x'],
  ['postgres:///plants?host=db&port=5433&user=app&password=secret', 'app secret db:5433 plants'],
  ['postgres://?host=a,b&port=1,2&dbname=plants', '- - a:1,b:2 plants'],
  ['postgres://?host=a,b&port=7&dbname=plants', '- - a:7,b:7 plants'],
  ['postgres://a:1/plants?hostaddr=192.0.2.7', '- - 192.0.2.7:1 plants'],
  ['postgres:///plants?host=/var/run/postgresql', '- - /var/run/postgresql/.s.PGSQL.5432 plants'],
  ['postgres:///plants?host=/tmp&port=6432', '- - /tmp/.s.PGSQL.6432 plants'],
  [
    'postgres://app:secret@%2Fvar%2Frun%2Fpostgresql:6432/plants',
    'app secret /var/run/postgresql/.s.PGSQL.6432 plants',
  ],
  ['postgres:///plants?user=a%20b&password=c%26d%3De', 'a b c&d=e environment plants'],
  ['postgres://db/?user=&dbname=plants', '- - db:5432 plants'],
  // Supabase, Neon, Heroku, RDS
  [
    'postgresql://postgres.abcd:pw@aws-0-eu.pooler.supabase.com:6543/postgres',
    'postgres.abcd pw aws-0-eu.pooler.supabase.com:6543 postgres',
  ],
  [
    'postgresql://me:pw@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
    'me pw ep-cool-1.eu-central-1.aws.neon.tech:5432 neondb',
  ],
])('%s leads to: %s', (text, expected) => {
  expect(say(parse(text))).toBe(expected)
})

const SPECIAL = [
  'p@ss',
  'a/b',
  'a#b',
  'a:b',
  'a;b',
  'a&b=c',
  'a+b',
  'ab==',
  'a b',
  "a'b",
  '"',
  '[x]',
  '{x}',
  '$x',
  '\\',
  '^|`<>',
  'è',
  '😀',
  'a,b',
  '!*()',
  'u:p@h/d',
]

test.each(SPECIAL)('a password may be %s, literal and encoded', (password) => {
  const plain = `postgres://app:${password}@db.example.com:5433/plants?application_name=a@b`
  expect(say(parse(plain))).toBe(`app ${password} db.example.com:5433 plants`)
})

test.each([...SPECIAL, 'a?b', '100%', '%40', '?@/'])(
  'a password may be %s, encoded',
  (password) => {
    const encoded = `postgres://app:${encodeURIComponent(password)}@db/plants`
    expect(say(parse(encoded))).toBe(`app ${password} db:5432 plants`)
    const parameter = `postgres://app@db/plants?password=${encodeURIComponent(password)}`
    expect(say(parse(parameter))).toBe(`app ${password} db:5432 plants`)
  },
)

/** Each with a part of the message, which never contains a part of a password. */
test.each([
  ['', 'expected an address like postgres://user:password@host:5432/database'],
  ['db.example.com', 'expected an address like postgres://'],
  ['mysql://app:hunter2@db/plants', 'not one of "mysql:"'],
  ['prisma+postgres://accelerate.prisma-data.net/?api_key=hunter2', 'not one of "prisma:"'],
  ['postgis://app:hunter2@db/plants', 'not one of "postgis:"'],
  ['psql://app:hunter2@db/plants', 'not one of "psql:"'],
  [
    'jdbc:postgresql://db:5432/plants?user=app&password=hunter2',
    'without "jdbc:" and with the user and the password before the host',
  ],
  ['host=db user=app password=hunter2 dbname=plants', 'found keywords and values'],
  ['Host=db;Username=app;Password=hunter2;Database=plants', 'found keywords and values'],
  ['"postgres://app:hunter2@db/plants"', 'is in quotes; remove them'],
  ["'postgres://app:hunter2@db/plants'", 'is in quotes; remove them'],
  ['postgres://app:hunter2?x@db/plants', 'has to be written as %3F'],
  [
    'postgres://app:hunter2%@db/plants',
    'a "%" in the password begins no code like %40; write it as %25',
  ],
  ['postgres://app:hunter2%zz@db/plants', 'write it as %25'],
  ['postgres://app:x@db:hunter2/plants', 'the port is not a number from 1 to 65535'],
  ['postgres://db:0/plants', 'the port is not a number'],
  ['postgres://db:65536/plants', 'the port is not a number'],
  ['postgres://db:-1/plants', 'the port is not a number'],
  ['postgres://::1:5432/plants', 'an IPv6 address has to be in brackets, as in [::1]:5432'],
  ['postgres://db/plants?hunter2', 'expected parameters like name=value'],
  ['postgres://db/plants?hunter 2=x', 'expected parameters like name=value'],
  [
    'postgres:///plants?host=/tmp,db',
    'a socket of the file system can not be one of several hosts',
  ],
  ['postgres://a,b/plants?port=1,2,3', 'expected one port for all hosts, or one for each'],
  [
    'postgres://db/plants?sslmode=on',
    'sslmode: found "on", expected disable, allow, prefer, require, no-verify, verify-ca, verify-full',
  ],
  ['postgres://db/plants?ssl=sometimes', 'sslmode: found "sometimes"'],
  [
    'postgres://db/plants?sslmode=verify-full&sslrootcert=/etc/none.pem',
    'sslrootcert: found "/etc/none.pem", expected a file in PEM that this user may read (ENOENT)',
  ],
  [
    'postgres://db/plants?sslmode=require&sslrootcert=system',
    'sslrootcert=system needs sslmode=verify-full',
  ],
  [
    'postgres://db/plants?sslmode=require&sslcert=/etc/client.pem',
    'sslcert and sslkey go together',
  ],
  [
    'postgres://db/plants?sslmode=require&sslcert=/etc/client.pem&sslkey=/none',
    'sslkey: found "/none"',
  ],
  [
    'postgres://db/plants?sslnegotiation=direct',
    'sslnegotiation=direct needs sslmode=require or stricter',
  ],
  ['postgres://db/plants?sslnegotiation=always', 'sslnegotiation: found "always"'],
  [
    'postgres://db/plants?ssl_min_protocol_version=SSLv3&sslmode=require',
    'ssl_min_protocol_version: found "SSLv3"',
  ],
  [
    'postgres://db/plants?connect_timeout=soon',
    'connect_timeout: found "soon", expected a whole number',
  ],
  ['postgres://db/plants?pgbouncer=maybe', 'pgbouncer: found "maybe", expected true or false'],
  ['postgres://db/plants?target_session_attrs=fast', 'target_session_attrs: found "fast"'],
  ['postgres://db/plants?targetServerType=fast', 'targetservertype: found "fast"'],
  ['postgres://db/plants?sslaccept=maybe', 'sslaccept: found "maybe"'],
  ['postgres://db/plants?sslfactory=com.example.Factory', 'use sslmode and sslrootcert instead'],
  [
    'postgres://db/plants?ssl_mode=require',
    'the parameter "ssl_mode" is not known; for TLS there are sslmode',
  ],
  ['postgres://db/plants?sslverify=true', 'the parameter "sslverify" is not known'],
  ['postgres://db/plants?tls=true', 'the parameter "tls" is not known'],
  ['postgres://db/plants?service=plants', 'service files are not read'],
  ['postgres://db/plants?passfile=/etc/pgpass', 'password files are not read'],
  ['postgres://db/plants?requirepeer=postgres', 'is not checked here'],
  ['postgres://db/plants?require_auth=scram-sha-256', 'demand it in pg_hba.conf'],
  ['postgres://db/plants?gssencmode=require', 'GSSAPI is not supported'],
  ['postgres://db/plants?sslcertmode=require', 'use sslcert and sslkey'],
  ['postgres://db/plants?sslcrldir=/etc/crl', 'use sslcrl'],
  ['postgres://db/plants?replication=database', 'leave it out'],
  ['postgres://db/plants?scram_client_key=hunter2', 'write a password instead'],
  ['postgres://db/plants?oauth_issuer=https://id.example.com', 'write a password instead'],
])('%s is refused: %s', (text, sentence) => {
  const fault = faultOf(text)
  expect(fault).toContain(sentence)
  expect(fault).not.toContain('hunter2')
  expect(fault).not.toContain('\n')
})

/** The changes of a parameter in the address, besides host, port and database. */
test.each([
  ['', {}],
  ['application_name=portal', { applicationName: 'portal' }],
  ['fallback_application_name=portal', { applicationName: 'portal' }],
  ['ApplicationName=portal', { applicationName: 'portal' }],
  ['connect_timeout=3', { connectTimeoutS: 3 }],
  ['connectTimeout=0', { connectTimeoutS: 0 }],
  ['keepalives=0&keepalives_idle=9', { keepAliveS: 0 }],
  ['keepalives=1&keepalives_idle=9', { keepAliveS: 9 }],
  ['target_session_attrs=read-write', { session: 'read-write' }],
  ['target_session_attrs=any', {}],
  ['targetServerType=primary', { session: 'primary' }],
  ['targetServerType=preferSecondary', { session: 'prefer-standby' }],
  ['schema=portal', { schema: 'portal' }],
  ['currentSchema=portal,public', { schema: 'portal' }],
  ['search_path="My-One", public', { schema: 'My-One' }],
  ['schema_search_path=portal', { schema: 'portal' }],
  ['options=-c%20search_path%3Dportal', { schema: 'portal' }],
  ['options=-csearch_path%3Dportal%2Cpublic', { schema: 'portal' }],
  ['options=--search_path%3Dportal', { schema: 'portal' }],
  ['options=-c%20search_path%3D%22%24user%22%2C%5C%20public', {}],
  ['search_path="$user",public', {}],
  ['pgbouncer=true', { prepare: false }],
  ['pgbouncer=false', {}],
  ['statement_cache_size=0', { prepare: false }],
  ['statement_cache_size=100', {}],
  ['prepareThreshold=0', { prepare: false }],
  ['prepared_statements=false', { prepare: false }],
  ['prepared_statements=true', {}],
])('the parameters %s set exactly: %o', (query, expected) => {
  const plain = parse('postgres://db/plants')
  expect(parse(`postgres://db/plants?${query}`)).toEqual({
    ...plain,
    tls: { kind: 'prefer' },
    connectTimeoutS: null,
    keepAliveS: null,
    session: null,
    applicationName: null,
    schema: null,
    prepare: true,
    notes: [],
    ...expected,
  })
})

const OFF = { kind: 'off' }
const PREFER = { kind: 'prefer' }
const ENCRYPTED = { kind: 'on', direct: false, options: { rejectUnauthorized: false } }
const VERIFIED = {
  kind: 'on',
  direct: false,
  options: { rejectUnauthorized: true, checkServerIdentity: expect.any(Function) as unknown },
}

/** TLS with options. */
function on(base: typeof VERIFIED | typeof ENCRYPTED, options: object, direct = false): object {
  return { ...base, direct, options: { ...base.options, ...options } }
}

test.each([
  ['', PREFER],
  ['sslmode=disable', OFF],
  ['sslmode=allow', PREFER],
  ['sslmode=prefer', PREFER],
  ['sslmode=require', ENCRYPTED],
  ['sslmode=no-verify', ENCRYPTED],
  ['sslmode=verify-ca', VERIFIED],
  ['sslmode=verify-full', VERIFIED],
  ['sslmode=verify-full&sslrootcert=system', VERIFIED],
  ['sslrootcert=system', VERIFIED],
  ['sslmode=verify-full&sslrootcert=/etc/ca.pem', on(VERIFIED, { ca: 'authority' })],
  ['sslmode=verify-ca&sslrootcert=/etc/ca.pem', on(VERIFIED, { ca: 'authority' })],
  // With an authority even "require" checks the certificate, as in libpq.
  ['sslmode=require&sslrootcert=/etc/ca.pem', on(VERIFIED, { ca: 'authority' })],
  ['sslmode=no-verify&sslrootcert=/etc/ca.pem', ENCRYPTED],
  ['sslrootcert=/etc/ca.pem', on(VERIFIED, { ca: 'authority' })],
  ['requiressl=1', ENCRYPTED],
  ['ssl=true', VERIFIED],
  ['ssl=false', OFF],
  ['ssl=require', ENCRYPTED],
  ['ssl=true&sslmode=require', ENCRYPTED],
  ['ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory', ENCRYPTED],
  ['sslmode=verify-full&sslfactory=org.postgresql.ssl.NonValidatingFactory', VERIFIED],
  ['sslmode=require&sslaccept=strict', VERIFIED],
  ['sslaccept=accept_invalid_certs', ENCRYPTED],
  ['sslmode=verify-full&sslaccept=accept_invalid_certs', VERIFIED],
  [
    'sslmode=require&sslcert=/etc/client.pem&sslkey=/etc/client.key&sslpassword=x',
    on(ENCRYPTED, { cert: 'certificate', key: 'key', passphrase: 'x' }),
  ],
  ['sslmode=verify-full&sslcrl=/etc/revoked.pem', on(VERIFIED, { crl: 'list' })],
  ['sslmode=require&sslsni=0', on(ENCRYPTED, { servername: '' })],
  [
    'sslmode=require&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3',
    on(ENCRYPTED, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' }),
  ],
  ['sslmode=require&sslnegotiation=direct', on(ENCRYPTED, {}, true)],
  ['sslmode=require&sslnegotiation=postgres', ENCRYPTED],
  ['sslmode=verify-full&host=/tmp', OFF],
])('TLS as %s asks for it', (query, tls) => {
  const found = parse(`postgres://db/plants?${query}`).tls
  expect(found.kind === 'on' ? { ...found, options: found.options() } : found).toEqual(tls)
})

test.each([
  ['connection_limit=5', 'connection_limit has no effect: set DATABASE_POOL instead'],
  [
    'connection_limit=5&pool_timeout=0',
    'connection_limit, pool_timeout have no effect: set DATABASE_POOL instead',
  ],
  ['pool=5', 'pool has no effect: set DATABASE_POOL instead'],
  ['socket_timeout=5', 'socket_timeout has no effect: set STATEMENT_TIMEOUT_MS instead'],
  ['statement_timeout=5', 'statement_timeout has no effect: set STATEMENT_TIMEOUT_MS instead'],
  [
    'channel_binding=require',
    'channel_binding has no effect: the server does not bind the password to the TLS channel',
  ],
  [
    'gssencmode=prefer&krbsrvname=x',
    'gssencmode, krbsrvname have no effect: the server never uses GSSAPI',
  ],
  [
    'keepalives_interval=1&keepalives_count=2&tcp_user_timeout=3',
    'keepalives_interval, keepalives_count, tcp_user_timeout have no effect: Node has one setting for keep-alive, keepalives_idle',
  ],
  ['supa=base-pooler.x', 'supa has no effect: the host name or the user name says it already'],
  [
    'options=project%3Dep-cool-1',
    'options (project) has no effect: the host name or the user name says it already',
  ],
  [
    'options=-c%20statement_timeout%3D5s',
    'options (statement_timeout) has no effect: set STATEMENT_TIMEOUT_MS instead',
  ],
  [
    'options=-c%20geqo%3Doff%20-c%20search_path%3Dx%20--work_mem%3D4MB',
    'options (geqo), options (work_mem) have no effect: it is a setting of the session; use "alter role … set …" instead',
  ],
  ['sslcompression=0', 'sslcompression has no effect: it is a setting of another client'],
  ['colour=blue', 'colour has no effect: the server does not know it'],
])('%s is ignored knowingly: %s', (query, note) => {
  expect(parse(`postgres://db/plants?${query}`).notes).toEqual([note])
})

/** All connection parameters of libpq 18; its own list is PQconndefaults(). */
const LIBPQ = [
  ...['host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'passfile', 'require_auth'],
  ...['channel_binding', 'connect_timeout', 'client_encoding', 'options', 'application_name'],
  ...['fallback_application_name', 'keepalives', 'keepalives_idle', 'keepalives_interval'],
  ...['keepalives_count', 'tcp_user_timeout', 'replication', 'gssencmode', 'sslmode', 'requiressl'],
  ...['sslnegotiation', 'sslcompression', 'sslcert', 'sslkey', 'sslkeylogfile', 'sslpassword'],
  ...['sslcertmode', 'sslrootcert', 'sslcrl', 'sslcrldir', 'sslsni', 'requirepeer'],
  ...['ssl_min_protocol_version', 'ssl_max_protocol_version', 'min_protocol_version'],
  ...['max_protocol_version', 'krbsrvname', 'gsslib', 'gssdelegation', 'scram_client_key'],
  ...['scram_server_key', 'service', 'servicefile', 'target_session_attrs', 'load_balance_hosts'],
  ...['oauth_issuer', 'oauth_client_id', 'oauth_client_secret', 'oauth_scope'],
]

test.each(LIBPQ)('the parameter %s of libpq has its effect, or a note has the reason', (name) => {
  const text = `postgres://db/plants?${name}=1`
  try {
    expect(parse(text).notes.join()).not.toContain('does not know')
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionStringFault)
  }
})

test('no log of an address contains a password', () => {
  const address = parse(
    'postgres://app:hunter2@db/plants?sslmode=require&sslpassword=hunter2&sslcert=/etc/client.pem&sslkey=/etc/hunter2.key',
  )
  expect(JSON.stringify(address) + inspect(address, { depth: 9 })).not.toContain('hunter2')
})

test('a certificate may be for any of the hosts, under the name that was written', () => {
  const { tls } = parse('postgres://a.example.com,192.0.2.7/plants?sslmode=verify-full')
  const check = tls.kind === 'on' ? tls.options().checkServerIdentity : undefined
  const certificate = (subjectaltname: string): never =>
    ({ subject: { CN: 'x' }, subjectaltname }) as never
  expect(check?.('localhost', certificate('DNS:a.example.com'))).toBeUndefined()
  expect(check?.('localhost', certificate('IP Address:192.0.2.7'))).toBeUndefined()
  expect(check?.('localhost', certificate('DNS:localhost'))).toBeInstanceOf(Error)
  const { tls: other } = parse('postgres://a.example.com/x?hostaddr=192.0.2.7&sslmode=verify-full')
  const checkOther = other.kind === 'on' ? other.options().checkServerIdentity : undefined
  expect(checkOther?.('192.0.2.7', certificate('DNS:a.example.com'))).toBeUndefined()
  expect(checkOther?.('192.0.2.7', certificate('IP Address:192.0.2.7'))).toBeInstanceOf(Error)
})

test('addresses that differ only in parameters or role are the same place', () => {
  const pooled = parse('postgres://app:a@db:6432/plants?pgbouncer=true')
  expect(isSamePlace(pooled, parse('postgres://other:b@db:6432/plants'))).toBe(true)
  expect(isSamePlace(pooled, parse('postgres://app:a@db:5432/plants'))).toBe(false)
  expect(isSamePlace(pooled, parse('postgres://app:a@db:6432/other'))).toBe(false)
})
