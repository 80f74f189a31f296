import { inspect } from 'node:util'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { readAuth, readConfig, readStorage } from './config.ts'
import { SetupError } from '../errors.ts'
import { SETTINGS, UNSUPPORTED } from './settings.ts'
import type { Environment } from './environment.ts'

const DATABASE_URL = 'postgres://app:s3cret@db.example.com/app'
const SECRET = 'a secret of at least thirty-two bytes'

/** The message of the refusal, or `was accepted`. */
function refusal(environment: Record<string, string>): string {
  try {
    readConfig({ DATABASE_URL, ...environment })
  } catch (error) {
    if (error instanceof SetupError) return error.message
    throw error
  }
  return 'was accepted'
}

test('DATABASE_URL is the only variable that the server requires', () => {
  const { config, warnings } = readConfig({ DATABASE_URL })
  expect(warnings).toEqual([])
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8001,
    basePath: '/',
    auth: { kind: 'open' },
    database: {
      address: { user: 'app', database: 'app', prepare: true },
      listenAddress: { user: 'app', database: 'app', prepare: true },
      schema: null,
    },
    supervisor: {
      enabled: true,
      leaseTtlMs: 15_000,
      allow: { cidrs: [], hosts: [], ports: [1883, 8883, 443, 8083, 8084] },
    },
    log: { level: 'info', format: 'json' },
  })
})

test('a schema in the address counts where DATABASE_SCHEMA is not set', () => {
  const withSchema = `${DATABASE_URL}?schema=portal`
  const schemaOf = (environment: Environment): string | null =>
    readConfig(environment).config.database.schema
  expect(schemaOf({ DATABASE_URL: withSchema })).toBe('portal')
  expect(schemaOf({ DATABASE_URL: withSchema, DATABASE_SCHEMA: 'other' })).toBe('other')
  expect(refusal({ DATABASE_URL: `${DATABASE_URL}?schema=a.b` })).toContain(
    'the server takes no schema of the name "a.b"; leave it out of the address, and set DATABASE_SCHEMA',
  )
})

test.each([
  ['mqtt.status', 'quotes or dots'],
  ['pg_status', 'not beginning with pg_'],
  ['information_schema', 'expected the name of a schema'],
  ['"quoted"', 'without quotes'],
  ['a b', 'expected the name of a schema'],
  ['x'.repeat(64), 'at most 63 bytes'],
  ['è'.repeat(32), 'at most 63 bytes'],
])('DATABASE_SCHEMA=%s is refused', (schema, why) => {
  expect(refusal({ DATABASE_SCHEMA: schema })).toContain(why)
})

const DIRECT = 'postgres://app:s3cret@db.example.com:5432/app'
const POOLED = 'postgres://app:s3cret@db.example.com:6432/app'

test.each([
  { what: 'one address', environment: { DATABASE_URL: DIRECT }, prepare: true },
  {
    what: 'the same address twice',
    environment: { DATABASE_URL: DIRECT, LISTEN_DATABASE_URL: DIRECT },
    prepare: true,
  },
  {
    what: 'a pooler and a direct address',
    environment: { DATABASE_URL: POOLED, LISTEN_DATABASE_URL: DIRECT },
    prepare: false,
  },
  {
    what: 'a pooler that says so',
    environment: { DATABASE_URL: `${POOLED}?pgbouncer=true`, LISTEN_DATABASE_URL: DIRECT },
    prepare: false,
  },
  {
    what: 'a pooler without a direct address',
    environment: { DATABASE_URL: `${POOLED}?pgbouncer=true` },
    prepare: false,
    warning: /LISTEN_DATABASE_URL is not set/,
  },
])('statements of $what are prepared: $prepare', ({ environment, prepare, warning }) => {
  const { config, warnings } = readConfig(environment)
  expect(config.database.address.prepare).toBe(prepare)
  expect(config.database.listenAddress.prepare).toBe(prepare || warning === undefined)
  expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning) as unknown])
})

test('parameters of an address that have no effect are named once, with the variable', () => {
  const { warnings } = readConfig({
    DATABASE_URL: `${POOLED}?connection_limit=5`,
    LISTEN_DATABASE_URL: `${DIRECT}?channel_binding=require`,
  })
  expect(warnings).toEqual([
    'DATABASE_URL: connection_limit has no effect: set DATABASE_POOL instead',
    'LISTEN_DATABASE_URL: channel_binding has no effect: the server does not bind the password to the TLS channel',
  ])
  expect(refusal({ DATABASE_URL: `${DIRECT}?service=x` })).toContain('DATABASE_URL: service: write')
  expect(
    refusal({ DATABASE_URL: DIRECT, LISTEN_DATABASE_URL: 'jdbc:postgresql://db/app' }),
  ).toContain('LISTEN_DATABASE_URL: found an address for JDBC')
})

test('flags override the environment, and blank variables count as absent', () => {
  const { config } = readConfig({ DATABASE_URL, PORT: '9000', TICK_MS: ' ' }, { PORT: '9001' })
  expect(config.port).toBe(9001)
  expect(config.hub.tickMs).toBe(50)
})

test('the error lists all faults, each with the value found and the value expected', () => {
  const message = refusal({ PORT: '99999', SUPERVISOR: 'maybe', MQTT_ALLOW_CIDRS: '10.0.0.0/99' })
  expect(message).toContain('3 faults')
  expect(message).toContain('PORT: found "99999", expected a whole number from 0 to 65535')
  expect(message).toContain('SUPERVISOR: found "maybe", expected on or off')
  expect(message).toContain('MQTT_ALLOW_CIDRS')
})

test('the error of a missing DATABASE_URL names the demo', () => {
  expect(() => readConfig({})).toThrow(/DATABASE_URL: is not set.*mqtt-status demo/)
})

test('no message quotes a wrong secret or database address', () => {
  expect(refusal({ AUTH_JWT_SECRET: 'hunter2' })).not.toContain('hunter2')
  expect(refusal({ DATABASE_URL: 'mysql://app:hunter2@db/app' })).not.toContain('hunter2')
})

test('open access is refused anywhere but on loopback, with the ways to configure it', () => {
  expect(refusal({ HOST: '0.0.0.0' })).toMatch(
    /only allowed on loopback[^]*AUTH_JWT_SECRET[^]*HOST=127\.0\.0\.1/,
  )
  expect(refusal({ HOST: '127.0.0.1.evil.example' })).toContain('only allowed on loopback')
  for (const HOST of ['localhost', '::1', '127.8.9.1'])
    expect(refusal({ HOST })).toBe('was accepted')
  expect(refusal({ HOST: '0.0.0.0', AUTH_JWT_SECRET: SECRET })).toBe('was accepted')
})

test('a setting of unsupported authentication is refused', () => {
  expect(refusal({ AUTH_JWKS_URL: 'https://id.example.com/jwks' })).toContain('not supported yet')
})

test('issuer and audience without a secret are refused, because no token would be checked', () => {
  expect(refusal({ AUTH_ISSUER: 'portal' })).toContain('AUTH_JWT_SECRET')
})

test('the longest life of a token is a duration', () => {
  const maxTtl = (AUTH_MAX_TTL: string): unknown =>
    readAuth({ AUTH_JWT_SECRET: SECRET, AUTH_MAX_TTL })
  expect(maxTtl('12h')).toMatchObject({ maxTtlS: 43_200 })
  expect(maxTtl('90')).toMatchObject({ maxTtlS: 90 })
  for (const wrong of ['0', '-1d', '1w', '7 days', '1.5h', '9999d', 'soon'])
    expect(() => maxTtl(wrong), wrong).toThrow(
      `AUTH_MAX_TTL: found "${wrong}", expected a duration like 30m, 12h or 7d`,
    )
})

test('ports may be ranges, origins may be any', () => {
  const { config } = readConfig({
    DATABASE_URL,
    MQTT_ALLOW_PORTS: '1883, 9000-9010',
    ALLOWED_ORIGINS: '*',
  })
  expect(config.supervisor.allow.ports).toEqual([1883, [9000, 9010]])
  expect(config.allowedOrigins).toBe('*')
  expect(refusal({ ALLOWED_ORIGINS: 'portal.example.com' })).toContain('https://portal.example.com')
})

test.each([
  ['http://localhost:3000/', 'http://localhost:3000'],
  ['https://portal.example.com/app', 'https://portal.example.com'],
  ['https://Portal.example.com:443', 'https://portal.example.com'],
  ['http://portal.example.com:80/?a=b#c', 'http://portal.example.com'],
  ['https://anna:secret@portal.example.com', 'https://portal.example.com'],
])('the error for the origin %s names %s, which browsers send', (text, origin) => {
  expect(refusal({ ALLOWED_ORIGINS: `https://other.example.com,${text}` })).toMatch(
    new RegExp(`expected the origin alone, as browsers send it: ${origin}$`, 'm'),
  )
})

test.each(['portal.example.com', 'localhost:3000', 'null', 'file:///srv/a.html', 'https://'])(
  'the error for the origin %s has an example',
  (text) => {
    expect(refusal({ ALLOWED_ORIGINS: text })).toContain(
      'expected origins like https://portal.example.com, or *',
    )
  },
)

test('a base path always ends with a slash', () => {
  expect(readConfig({ DATABASE_URL, BASE_PATH: '/mqtt' }).config.basePath).toBe('/mqtt/')
})

test('a misspelt variable is warned about, a foreign one is not', () => {
  const { warnings } = readConfig({
    DATABASE_URL,
    MQTT_ALLOW_HOST: 'broker',
    MQTT_BROKER: 'x',
    PATH: '/bin',
  })
  expect(warnings).toEqual(['MQTT_ALLOW_HOST is not a setting; did you mean MQTT_ALLOW_HOSTS?'])
})

test.each(UNSUPPORTED.filter(({ kind }) => kind === 'refused'))(
  '$variable has no effect yet, so it is refused',
  ({ variable }) => {
    expect(refusal({ [variable]: 'x' })).toContain(`${variable}: `)
  },
)

test('the unsupported names are those that the contract has for later versions', () => {
  expect(UNSUPPORTED.map(({ variable }) => variable).toSorted()).toEqual([
    'AUTH_CLAIMS',
    'AUTH_JWKS_URL',
    'METRICS_TOKEN',
    'MQTT_LOCAL_ADDRESSES',
    'NATS_BUCKET',
    'NATS_URL',
    'REUSE_PORT',
  ])
})

test('a warning names METRICS_TOKEN, which has no effect yet', () => {
  const { warnings } = readConfig({ DATABASE_URL, METRICS_TOKEN: 'x' })
  expect(warnings).toEqual([expect.stringContaining('METRICS_TOKEN')])
})

test('a variable of another program is not warned about', () => {
  const foreign = ['HOSTS', 'PORTS', 'HOSTNAME', 'LANG', 'LOGNAME', 'MAIL', 'PWD', 'SHELL', 'TERM']
  const containers = ['DATABASE_HOST', 'MQTT_PORT', 'MQTT_BROKER', 'KUBERNETES_PORT', 'REDIS_URL']
  const environment = Object.fromEntries([...foreign, ...containers].map((name) => [name, 'x']))
  expect(readConfig({ DATABASE_URL, ...environment }).warnings).toEqual([])
})

const LONG_NAMES = SETTINGS.map(({ variable }) => variable).filter((name) => name.length > 6)

test.each(LONG_NAMES)('each misspelling of %s by one letter is warned about', (name) => {
  const misspelt = Array.from({ length: name.length }, (_, i) => name.charAt(i)).flatMap(
    (letter, i) => [
      name.slice(0, i) + name.slice(i + 1),
      `${name.slice(0, i)}${letter}${letter}${name.slice(i + 1)}`,
      `${name.slice(0, i)}Q${name.slice(i + 1)}`,
      `${name.slice(0, i)}${name[i + 1] ?? ''}${letter}${name.slice(i + 2)}`,
    ],
  )
  const known: readonly string[] = LONG_NAMES
  for (const wrong of new Set(misspelt.filter((text) => !known.includes(text)))) {
    const { warnings } = readConfig({ DATABASE_URL, [wrong]: 'x' })
    expect(warnings).toEqual([`${wrong} is not a setting; did you mean ${name}?`])
  }
})

const SECRETS = ['DATABASE_URL', 'LISTEN_DATABASE_URL', 'AUTH_JWT_SECRET', 'MQTT_SECRET_KEYS']

test('the secrets of the table are the values that give access', () => {
  const secret = SETTINGS.filter((setting) => setting.secret).map(({ variable }) => variable)
  expect(secret.toSorted()).toEqual(SECRETS.toSorted())
})

test.each(SETTINGS)('a wrong $variable is repeated unless it is a secret', (setting) => {
  const { variable, secret, schema } = setting
  const wrong = ['mysql://app:hunter2@db/app', 'hunter2!"'].filter(
    (text) => !v.safeParse(schema, text).success,
  )
  for (const text of wrong) {
    const message = refusal({ [variable]: text })
    expect(message).toContain(`${variable}: `)
    expect(message.includes('hunter2')).toBe(!secret)
  }
})

test('the unit of a number is the ending of its name', () => {
  for (const { variable, unit } of SETTINGS) {
    const ending = /_(MS|DAYS)$/.exec(variable)?.[1]?.toLowerCase()
    expect(unit, variable).toBe(ending)
  }
})

/** A value other than the default for each setting. */
const OTHER: Readonly<Record<string, string>> = {
  HOST: 'localhost',
  PORT: '8002',
  BASE_PATH: '/elsewhere/',
  DATABASE_URL: 'postgres://other@db/app',
  DATABASE_SCHEMA: 'plant',
  LISTEN_DATABASE_URL: 'postgres://other@db/app',
  DATABASE_POOL: '20',
  ADOPT_DATABASE: '1',
  AUTH_JWT_SECRET: SECRET,
  ALLOWED_ORIGINS: 'https://portal.example.com',
  SUPERVISOR: 'off',
  MQTT_DIAL_CONCURRENCY: '7',
  MQTT_ALLOW_CIDRS: '10.0.0.0/8',
  MQTT_ALLOW_HOSTS: 'broker.example.com',
  MQTT_ALLOW_PORTS: '1884',
  MQTT_SECRET_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  TRUSTED_PROXIES: '10.0.0.1',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'pretty',
}
/** Settings that only mean something together with others. */
const WITH: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AUTH_ISSUER: { AUTH_JWT_SECRET: SECRET },
  AUTH_AUDIENCE: { AUTH_JWT_SECRET: SECRET },
  AUTH_MAX_TTL: { AUTH_JWT_SECRET: SECRET },
}

test.each(SETTINGS.filter(({ variable }) => variable !== 'MQTT_SECRET_KEYS_FILE'))(
  '$variable is read: another value makes another configuration',
  ({ variable, default: fallback }) => {
    const base = { DATABASE_URL, ...WITH[variable] }
    const other =
      OTHER[variable] ?? (/^\d+$/.test(fallback ?? '') ? String(Number(fallback) + 1) : '1d')
    const before = inspect(readConfig(base).config, { depth: 9 })
    const after = inspect(readConfig({ ...base, [variable]: other }).config, { depth: 9 })
    expect(after).not.toBe(before)
  },
)

test('every setting has a flag of the same name', () => {
  for (const { variable, flag } of SETTINGS) {
    expect(flag).toBe(`--${variable.toLowerCase().replaceAll('_', '-')}`)
  }
})

const KEY = Buffer.alloc(32, 7).toString('base64')

test('keys for secrets are read in their order, from the variable or from a file', () => {
  const keys = `k2:${KEY},k1:${KEY}`
  const { config } = readConfig({ DATABASE_URL, MQTT_SECRET_KEYS: keys })
  expect(config.secrets.keys.map(({ id }) => id)).toEqual(['k2', 'k1'])
  expect(JSON.stringify(config)).not.toContain(KEY)

  const folder = mkdtempSync(join(tmpdir(), 'keys-'))
  try {
    const file = join(folder, 'keys')
    writeFileSync(file, `k2:${KEY}\nk1:${KEY}\n`)
    const found = readConfig({ DATABASE_URL, MQTT_SECRET_KEYS_FILE: file }).config
    expect(found.secrets.keys.map(({ id }) => id)).toEqual(['k2', 'k1'])
    writeFileSync(file, ' \n')
    expect(refusal({ MQTT_SECRET_KEYS_FILE: file })).toContain('is empty')
    writeFileSync(file, 'k1:c2hvcnQ=')
    expect(refusal({ MQTT_SECRET_KEYS_FILE: file })).toContain('MQTT_SECRET_KEYS_FILE: key 1')
    expect(refusal({ MQTT_SECRET_KEYS_FILE: folder })).toContain('EISDIR')
    expect(refusal({ MQTT_SECRET_KEYS_FILE: join(folder, 'nope') })).toContain('ENOENT')
    expect(refusal({ MQTT_SECRET_KEYS_FILE: file, MQTT_SECRET_KEYS: keys })).toContain(
      'one of them',
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  ['hunter2', 'key 1: expected a name, a colon and 32 bytes'],
  ['k1:hunter2!', 'key 1: "k1" is not base64'],
  ['k1:aHVudGVyMg==', 'key 1: "k1" has 7 bytes, expected 32'],
  [`k1:${KEY},k1:${KEY}`, 'key 2: the name "k1" is used twice'],
])('the key ring %s is refused, and not repeated: %s', (keys, words) => {
  const message = refusal({ MQTT_SECRET_KEYS: keys })
  expect(message).toContain(`MQTT_SECRET_KEYS: ${words}`)
  expect(message).not.toMatch(/hunter2|aHVudGVyMg|BwcHBw/)
})

test('references read variables that begin with MQTT_SECRET_, and no other variable', () => {
  const { secrets } = readConfig({ DATABASE_URL, MQTT_SECRET_A: 'of a', PATH: '/bin' }).config
  expect(secrets.variable('MQTT_SECRET_A')).toBe('of a')
  expect(secrets.variable('PATH')).toBeUndefined()
  expect(secrets.variable('DATABASE_URL')).toBeUndefined()
})

test('a command checks only the settings that it uses', () => {
  expect(readAuth({ AUTH_JWT_SECRET: SECRET, PORT: 'x' })).toEqual({
    kind: 'secret',
    secret: SECRET,
    maxTtlS: 604_800,
  })
  expect(() => readAuth({ AUTH_JWT_SECRET: 'hunter2' })).toThrow(/AUTH_JWT_SECRET: expected 32/)
  expect(readStorage({ DATABASE_URL, HOST: '0.0.0.0' }).database.address.user).toBe('app')
  expect(() => readStorage({})).toThrow(/DATABASE_URL: is not set/)
})
