/** From environment and flags to one checked object. Only this file and settings.ts know names of variables. */
import * as v from 'valibot'
import { SetupError } from './errors.ts'
import type { LogFormat, LogLevel } from './log.ts'
import { cidrs, list, origins, ports, postgresUrl, whole } from './setting-values.ts'
import type { PortRange } from './setting-values.ts'
import { nearMisses, SETTINGS } from './settings.ts'
import type { Environment } from './settings.ts'

/** Whether and how callers prove who they are; `open` is allowed on loopback only. */
export type AuthConfig =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'secret'
      readonly secret: string
      readonly issuer?: string
      readonly audience?: string
    }

export interface Config {
  readonly host: string
  readonly port: number
  /** Starts and ends with a slash. */
  readonly basePath: string
  readonly database: {
    readonly url: string
    readonly listenUrl: string
    readonly pool: number
    readonly statementTimeoutMs: number
    /** Whether a copy of another database may be supervised without being asked about. */
    readonly adopt: boolean
  }
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
  readonly log: { readonly level: LogLevel; readonly format: LogFormat }
}

/** Known names that this version can't honour: ignoring them silently would be worse than stopping. */
const NOT_YET: Readonly<Record<string, string>> = {
  AUTH_JWKS_URL: 'tokens of an identity provider are not supported yet; use AUTH_JWT_SECRET',
}

/** Names of the finished product that this version passes over; harmless to ignore, but not in silence. */
const WITHOUT_EFFECT = [
  'MQTT_SECRET_KEYS',
  'MQTT_SECRET_KEYS_FILE',
  'METRICS_TOKEN',
  'HISTORY_RETENTION_DAYS',
]

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
  const given = Object.fromEntries(
    SETTINGS.map((s) => [
      s.variable,
      blank(flags[s.variable]) ?? blank(environment[s.variable]) ?? s.default,
    ]),
  )
  const faults = Object.entries(NOT_YET)
    .filter(([name]) => blank(environment[name]) !== undefined)
    .map(([name, why]) => `${name}: ${why}`)
  const parsed = v.safeParse(schema, given)
  if (!parsed.success) faults.push(...parsed.issues.map((issue) => describe(issue, given)))
  if (faults.length > 0 || !parsed.success) {
    throw new SetupError(
      `The configuration has ${count(faults)}:\n${faults.map((f) => `  ${f}`).join('\n')}`,
    )
  }
  const config = toConfig(parsed.output, terminal)
  refuseOpenAccessToStrangers(config)
  return { config, warnings: [...withoutEffect(environment), ...nearMisses(environment)] }
}

function withoutEffect(environment: Environment): string[] {
  return WITHOUT_EFFECT.filter((name) => blank(environment[name]) !== undefined).map(
    (name) => `${name} is set, but this version does not know it yet: it has no effect`,
  )
}

function blank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim()
}

function count(faults: readonly string[]): string {
  return faults.length === 1 ? 'a fault' : `${faults.length} faults`
}

// ── the shape of each value ─────────────────────────────────────────────────────────────────────────────────

const schema = v.object({
  HOST: v.string(),
  PORT: whole(0, 65535),
  BASE_PATH: v.pipe(v.string(), v.regex(/^\/[\w\-./~]*$/, 'expected a path like /mqtt-status/')),
  DATABASE_URL: v.pipe(
    v.string(
      'is not set: expected an address like postgres://user:password@host:5432/database (or run "mqtt-status demo", which brings its own Postgres)',
    ),
    postgresUrl,
  ),
  LISTEN_DATABASE_URL: v.optional(postgresUrl),
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
  ALLOWED_ORIGINS: origins,
  SUPERVISOR: v.picklist(['on', 'off'], 'expected on or off'),
  LEASE_TTL_MS: whole(1_000, 600_000),
  MQTT_DIAL_CONCURRENCY: whole(1, 10_000),
  ACTIVITY_FLUSH_MS: whole(100, 3_600_000),
  MQTT_ALLOW_CIDRS: cidrs,
  MQTT_ALLOW_HOSTS: list,
  MQTT_ALLOW_PORTS: ports,
  FEED_POLL_MS: whole(50, 600_000),
  TICK_MS: whole(1, 10_000),
  HEARTBEAT_MS: whole(100, 600_000),
  SOCKETS_PER_ADDRESS: whole(0, 1_000_000),
  SOCKETS_PER_TOKEN: whole(0, 1_000_000),
  HANDSHAKES_PER_ADDRESS: whole(0, 1_000_000),
  TRUSTED_PROXIES: cidrs,
  DRAIN_MS: whole(100, 600_000),
  LOG_LEVEL: v.picklist(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'expected debug, info, warn, error or silent',
  ),
  LOG_FORMAT: v.optional(v.picklist(['json', 'pretty'], 'expected json or pretty')),
})

type Parsed = v.InferOutput<typeof schema>

/** Secrets are never repeated, not even a wrong one. */
const UNSPEAKABLE = new Set(['AUTH_JWT_SECRET', 'DATABASE_URL', 'LISTEN_DATABASE_URL'])

function describe(issue: v.BaseIssue<unknown>, given: Environment): string {
  const variable = v.getDotPath(issue)?.split('.')[0] ?? 'configuration'
  const value = given[variable]
  const found = UNSPEAKABLE.has(variable) || value === undefined ? '' : `found "${value}", `
  return `${variable}: ${found}${issue.message}`
}

// ── from values to rooms ────────────────────────────────────────────────────────────────────────────────────

function toConfig(p: Parsed, terminal: boolean): Config {
  return {
    host: p.HOST,
    port: p.PORT,
    basePath: p.BASE_PATH.endsWith('/') ? p.BASE_PATH : `${p.BASE_PATH}/`,
    database: {
      url: p.DATABASE_URL,
      listenUrl: p.LISTEN_DATABASE_URL ?? p.DATABASE_URL,
      pool: p.DATABASE_POOL,
      statementTimeoutMs: p.STATEMENT_TIMEOUT_MS,
      adopt: p.ADOPT_DATABASE === '1',
    },
    auth: toAuth(p),
    allowedOrigins: p.ALLOWED_ORIGINS.includes('*')
      ? '*'
      : p.ALLOWED_ORIGINS.map((o) => o.toLowerCase()),
    supervisor: {
      enabled: p.SUPERVISOR === 'on',
      leaseTtlMs: p.LEASE_TTL_MS,
      dialConcurrency: p.MQTT_DIAL_CONCURRENCY,
      activityFlushMs: p.ACTIVITY_FLUSH_MS,
      allow: { cidrs: p.MQTT_ALLOW_CIDRS, hosts: p.MQTT_ALLOW_HOSTS, ports: p.MQTT_ALLOW_PORTS },
    },
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
    log: { level: p.LOG_LEVEL, format: p.LOG_FORMAT ?? (terminal ? 'pretty' : 'json') },
  }
}

function toAuth(p: Parsed): AuthConfig {
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
