/** From environment and flags to one checked object. Only this file and settings.ts know names of variables. */
import * as v from 'valibot'
import { databaseWarnings, toDatabase } from './database.ts'
import type { DatabaseConfig } from './database.ts'
import { blank, checked, gather } from './environment.ts'
import { SetupError } from '../errors.ts'
import type { LogFormat, LogLevel } from '../log.ts'
import {
  cidrs,
  connectionString,
  duration,
  list,
  origins,
  ports,
  schemaName,
  secretKeys,
  whole,
} from './values.ts'
import type { PortRange, SecretKey } from './values.ts'
import { nearMisses } from './settings.ts'
import type { Environment } from './settings.ts'

/** Whether and how callers prove who they are; `open` is allowed on loopback only. */
export type AuthConfig =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'secret'
      readonly secret: string
      readonly issuer?: string
      readonly audience?: string
      /** A token that is valid for longer is refused. */
      readonly maxTtlS: number
    }

export interface Config {
  readonly host: string
  readonly port: number
  /** Starts and ends with a slash. */
  readonly basePath: string
  readonly database: DatabaseConfig
  readonly auth: AuthConfig
  readonly allowedOrigins: readonly string[] | '*'
  readonly supervisor: {
    readonly enabled: boolean
    /** How long an instance may be silent before others take over what it keeps. */
    readonly leaseTtlMs: number
    readonly dialConcurrency: number
    readonly activityFlushMs: number
    readonly allow: {
      readonly cidrs: readonly string[]
      readonly hosts: readonly string[]
      readonly ports: readonly PortRange[]
    }
  }
  readonly secrets: {
    /** The first encrypts, all decrypt; may be empty. */
    readonly keys: readonly SecretKey[]
    /** Where they were read from; nobody else may read that file through the server. */
    readonly keysFile: string | undefined
    /** What `env:MQTT_SECRET_…` stands for; a function, so that no log shows it. */
    readonly variable: (name: string) => string | undefined
  }
  readonly feed: { readonly pollMs: number }
  readonly hub: { readonly tickMs: number }
  readonly heartbeatMs: number
  /** 0 = no limit. */
  readonly limits: {
    readonly socketsPerAddress: number
    readonly socketsPerToken: number
    readonly handshakesPerAddress: number
    readonly trustedProxies: readonly string[]
  }
  readonly drainMs: number
  /** How long what has happened is kept, in days. */
  readonly retention: { readonly historyDays: number; readonly auditDays: number }
  readonly log: { readonly level: LogLevel; readonly format: LogFormat }
}

/** Known names that this version can't honour: ignoring them silently would be worse than stopping. */
const NOT_YET: Readonly<Record<string, string>> = {
  AUTH_JWKS_URL: 'tokens of an identity provider are not supported yet; use AUTH_JWT_SECRET',
  AUTH_CLAIMS: 'tokens of an identity provider are not supported yet; unset it',
  MQTT_LOCAL_ADDRESSES: 'addresses to dial from can not be chosen yet; unset it',
  NATS_BUCKET: 'edge nodes are not supported yet; unset it',
  NATS_URL: 'edge nodes are not supported yet; unset it',
  REUSE_PORT: 'several processes on one port are not supported yet; unset it',
}

/** Protects what this version does not serve: harmless, but not passed over in silence. */
const WITHOUT_EFFECT = ['METRICS_TOKEN']

/**
 * Reads the whole configuration at once.
 *
 * @param flags values given on the command line, by variable name; they win over the environment
 * @param terminal whether a person reads the log
 * @throws SetupError that lists every fault: the variable, what was found, what is expected
 */
export function readConfig(
  environment: Environment,
  flags: Environment = {},
  terminal = false,
): { config: Config; warnings: readonly string[] } {
  const { given, faults } = gather(environment, flags)
  faults.push(
    ...Object.entries(NOT_YET)
      .filter(([name]) => blank(environment[name]) !== undefined)
      .map(([name, why]) => `${name}: ${why}`),
  )
  const parsed = checked(schema, given, faults)
  const config = toConfig(parsed, environment, terminal)
  refuseOpenAccessToStrangers(config)
  const warnings = [
    ...withoutEffect(environment),
    ...databaseWarnings(config.database),
    ...nearMisses(environment),
  ]
  return { config, warnings }
}

/**
 * What signs tokens, and nothing else.
 *
 * @throws SetupError like {@link readConfig}
 */
export function readAuth(environment: Environment): AuthConfig {
  const { given } = gather(environment, {})
  return toAuth(checked(v.pick(schema, AUTH), given, []))
}

/** What a command needs that works on the database without a server. */
export type StorageConfig = Pick<Config, 'database' | 'secrets' | 'log'> & {
  readonly allow: Config['supervisor']['allow']
}

/** @throws SetupError like {@link readConfig} */
export function readStorage(
  environment: Environment,
  flags: Environment = {},
  terminal = false,
): StorageConfig {
  const { given, faults } = gather(environment, flags)
  const parsed = checked(v.pick(schema, STORAGE), given, faults)
  return {
    database: toDatabase(parsed),
    secrets: toSecrets(parsed, environment),
    log: toLog(parsed, terminal),
    allow: toAllow(parsed),
  }
}

function withoutEffect(environment: Environment): string[] {
  return WITHOUT_EFFECT.filter((name) => blank(environment[name]) !== undefined).map(
    (name) => `${name} is set, but this version has nothing that it protects: it has no effect`,
  )
}

// ── the shape of each value ─────────────────────────────────────────────────────────────────────────────────

/** Ten years: a token that lasts longer can as well be a password. */
const LONGEST_TTL_S = 3_650 * 86_400

const schema = v.object({
  HOST: v.string(),
  PORT: whole(0, 65535),
  BASE_PATH: v.pipe(v.string(), v.regex(/^\/[\w\-./~]*$/, 'expected a path like /mqtt-status/')),
  DATABASE_URL: connectionString,
  LISTEN_DATABASE_URL: v.optional(connectionString),
  DATABASE_SCHEMA: v.optional(schemaName),
  DATABASE_POOL: whole(2, 1000),
  STATEMENT_TIMEOUT_MS: whole(100, 600_000),
  ADOPT_DATABASE: v.picklist(['1', '0'], 'expected 1 or 0'),
  AUTH_JWT_SECRET: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (secret) => Buffer.byteLength(secret) >= 32,
        'expected 32 bytes or more (RFC 7518, 3.2), for example from "openssl rand -base64 48"',
      ),
    ),
  ),
  AUTH_ISSUER: v.optional(v.string()),
  AUTH_AUDIENCE: v.optional(v.string()),
  AUTH_MAX_TTL: duration(LONGEST_TTL_S),
  ALLOWED_ORIGINS: origins,
  SUPERVISOR: v.picklist(['on', 'off'], 'expected on or off'),
  LEASE_TTL_MS: whole(1_000, 600_000),
  MQTT_DIAL_CONCURRENCY: whole(1, 10_000),
  ACTIVITY_FLUSH_MS: whole(100, 3_600_000),
  MQTT_ALLOW_CIDRS: cidrs,
  MQTT_ALLOW_HOSTS: list,
  MQTT_ALLOW_PORTS: ports,
  MQTT_SECRET_KEYS: secretKeys,
  MQTT_SECRET_KEYS_FILE: v.optional(v.string()),
  FEED_POLL_MS: whole(50, 600_000),
  TICK_MS: whole(1, 10_000),
  HEARTBEAT_MS: whole(100, 600_000),
  SOCKETS_PER_ADDRESS: whole(0, 1_000_000),
  SOCKETS_PER_TOKEN: whole(0, 1_000_000),
  HANDSHAKES_PER_ADDRESS: whole(0, 1_000_000),
  TRUSTED_PROXIES: cidrs,
  DRAIN_MS: whole(100, 600_000),
  HISTORY_RETENTION_DAYS: whole(1, 36_500),
  AUDIT_RETENTION_DAYS: whole(1, 36_500),
  LOG_LEVEL: v.picklist(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'expected debug, info, warn, error or silent',
  ),
  LOG_FORMAT: v.optional(v.picklist(['json', 'pretty'], 'expected json or pretty')),
})

type Parsed = v.InferOutput<typeof schema>

const AUTH = ['AUTH_JWT_SECRET', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_MAX_TTL'] as const
const STORAGE = [
  'DATABASE_URL',
  'LISTEN_DATABASE_URL',
  'DATABASE_SCHEMA',
  'DATABASE_POOL',
  'STATEMENT_TIMEOUT_MS',
  'ADOPT_DATABASE',
  'MQTT_ALLOW_CIDRS',
  'MQTT_ALLOW_HOSTS',
  'MQTT_ALLOW_PORTS',
  'MQTT_SECRET_KEYS',
  'MQTT_SECRET_KEYS_FILE',
  'LOG_LEVEL',
  'LOG_FORMAT',
] as const

type Auth = Pick<Parsed, (typeof AUTH)[number]>
type Storage = Pick<Parsed, (typeof STORAGE)[number]>

// ── from values to rooms ────────────────────────────────────────────────────────────────────────────────────

function toConfig(p: Parsed, environment: Environment, terminal: boolean): Config {
  return {
    host: p.HOST,
    port: p.PORT,
    basePath: p.BASE_PATH.endsWith('/') ? p.BASE_PATH : `${p.BASE_PATH}/`,
    database: toDatabase(p),
    auth: toAuth(p),
    allowedOrigins: p.ALLOWED_ORIGINS.includes('*')
      ? '*'
      : p.ALLOWED_ORIGINS.map((o) => o.toLowerCase()),
    supervisor: {
      enabled: p.SUPERVISOR === 'on',
      leaseTtlMs: p.LEASE_TTL_MS,
      dialConcurrency: p.MQTT_DIAL_CONCURRENCY,
      activityFlushMs: p.ACTIVITY_FLUSH_MS,
      allow: toAllow(p),
    },
    secrets: toSecrets(p, environment),
    feed: { pollMs: p.FEED_POLL_MS },
    hub: { tickMs: p.TICK_MS },
    heartbeatMs: p.HEARTBEAT_MS,
    limits: {
      socketsPerAddress: p.SOCKETS_PER_ADDRESS,
      socketsPerToken: p.SOCKETS_PER_TOKEN,
      handshakesPerAddress: p.HANDSHAKES_PER_ADDRESS,
      trustedProxies: p.TRUSTED_PROXIES,
    },
    drainMs: p.DRAIN_MS,
    retention: { historyDays: p.HISTORY_RETENTION_DAYS, auditDays: p.AUDIT_RETENTION_DAYS },
    log: toLog(p, terminal),
  }
}

function toAllow(p: Storage): Config['supervisor']['allow'] {
  return { cidrs: p.MQTT_ALLOW_CIDRS, hosts: p.MQTT_ALLOW_HOSTS, ports: p.MQTT_ALLOW_PORTS }
}

function toSecrets(p: Storage, environment: Environment): Config['secrets'] {
  return {
    keys: p.MQTT_SECRET_KEYS,
    keysFile: p.MQTT_SECRET_KEYS_FILE,
    variable: (name) => (name.startsWith('MQTT_SECRET_') ? environment[name] : undefined),
  }
}

function toLog(p: Storage, terminal: boolean): Config['log'] {
  return { level: p.LOG_LEVEL, format: p.LOG_FORMAT ?? (terminal ? 'pretty' : 'json') }
}

function toAuth(p: Auth): AuthConfig {
  if (p.AUTH_JWT_SECRET === undefined) {
    // They look like protection, but without a secret nothing would check them.
    if (p.AUTH_ISSUER ?? p.AUTH_AUDIENCE) {
      throw new SetupError(
        'AUTH_ISSUER and AUTH_AUDIENCE need AUTH_JWT_SECRET: set it, or unset them.',
      )
    }
    return { kind: 'open' }
  }
  return {
    kind: 'secret',
    secret: p.AUTH_JWT_SECRET,
    maxTtlS: p.AUTH_MAX_TTL,
    ...(p.AUTH_ISSUER === undefined ? {} : { issuer: p.AUTH_ISSUER }),
    ...(p.AUTH_AUDIENCE === undefined ? {} : { audience: p.AUTH_AUDIENCE }),
  }
}

/** Without authentication whoever reaches the port controls every connection, so only this machine may. */
function refuseOpenAccessToStrangers({ auth, host }: Config): void {
  if (auth.kind !== 'open' || isLoopback(host)) return
  throw new SetupError(
    `HOST: found "${host}", but no authentication is configured, and open access is only allowed on loopback.\n` +
      '  Set AUTH_JWT_SECRET (a shared secret for HS256 tokens, 32 bytes or more) to listen there,\n' +
      '  or HOST=127.0.0.1 to be reached from this machine only.',
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
