/**
 * The table of settings, one row a variable. From it are derived: the type and the reading of the configuration, the flags
 * and the help of `serve`, which values no message may repeat, and the warnings about misspelt names. A test compares the
 * table in docs/operations.md with it. The shape of the table is the shape of `Config`.
 */
import { HEARTBEAT_MS } from '@mqtt-status/protocol'
import * as v from 'valibot'
import type { LogFormat, LogLevel } from '../log.ts'
import type { PostgresAddress } from './connection-string/address.ts'
import { rowsOf, Setting } from './setting-row.ts'
import type { ValuesOf } from './setting-row.ts'
import * as value from './values.ts'
import type { PortRange, SecretKey } from './values.ts'

class Database {
  readonly url: Setting<PostgresAddress> = new Setting('DATABASE_URL', {
    schema: value.connectionString,
    secret: true,
    help: 'address of the Postgres database, as postgres://user:password@host:port/database',
  })
  readonly listenUrl: Setting<PostgresAddress | undefined> = new Setting('LISTEN_DATABASE_URL', {
    schema: v.optional(value.connectionString),
    secret: true,
    otherwise: 'DATABASE_URL',
    help: 'direct address for LISTEN where DATABASE_URL is the address of a pooler',
  })
  readonly schema: Setting<string | undefined> = new Setting('DATABASE_SCHEMA', {
    schema: v.optional(value.schemaName),
    otherwise: 'where the tables are, mqtt_status in a new database',
    help: 'schema of all tables',
  })
  readonly pool: Setting<number> = new Setting('DATABASE_POOL', {
    default: '10',
    schema: value.whole(2, 1_000),
    help: 'largest number of database sessions, besides those of the lease, of LISTEN and of attached tables',
  })
  readonly statementTimeoutMs: Setting<number> = new Setting('STATEMENT_TIMEOUT_MS', {
    default: '10000',
    unit: 'ms',
    schema: value.whole(100, 600_000),
    help: 'longest time that one statement may take, including the wait for a session',
  })
  /** Whether the server supervises a copy of another database without a confirmation. */
  readonly adopt: Setting<boolean> = new Setting('ADOPT_DATABASE', {
    default: '0',
    schema: value.either('1', '0'),
    help: '1: supervise the connections of a copied, restored or promoted database at once; 0: wait for "doctor --adopt"',
  })
}

class Auth {
  readonly secret: Setting<string | undefined> = new Setting('AUTH_JWT_SECRET', {
    schema: v.optional(value.sharedSecret),
    secret: true,
    help: 'secret of the HS256 tokens, 32 bytes or more; without it the server listens on loopback only',
  })
  readonly issuer: Setting<string | undefined> = new Setting('AUTH_ISSUER', {
    schema: v.optional(v.string()),
    help: 'issuer (iss) that tokens must name',
  })
  readonly audience: Setting<string | undefined> = new Setting('AUTH_AUDIENCE', {
    schema: v.optional(v.string()),
    help: 'audience (aud) that tokens must name',
  })
  readonly maxTtlS: Setting<number> = new Setting('AUTH_MAX_TTL', {
    default: '7d',
    schema: value.duration(value.LONGEST_TTL_S),
    help: 'longest time that a token may be valid, like 30m, 12h or 7d',
  })
}

class DialGuard {
  readonly cidrs: Setting<readonly string[]> = new Setting('MQTT_ALLOW_CIDRS', {
    default: '',
    schema: value.cidrs,
    help: 'address ranges that the server may dial besides public ones, comma separated',
  })
  readonly hosts: Setting<readonly string[]> = new Setting('MQTT_ALLOW_HOSTS', {
    default: '',
    schema: value.list,
    help: 'host names that the server may dial at any address, comma separated',
  })
  readonly ports: Setting<readonly PortRange[]> = new Setting('MQTT_ALLOW_PORTS', {
    default: '1883,8883,443,8083,8084',
    schema: value.ports,
    help: 'ports and ranges of ports that the server may dial, comma separated',
  })
}

class Supervisor {
  readonly enabled: Setting<boolean> = new Setting('SUPERVISOR', {
    default: 'on',
    schema: value.either('on', 'off'),
    help: 'on: this node keeps MQTT connections; off: this node only delivers changes to clients',
  })
  readonly leaseTtlMs: Setting<number> = new Setting('LEASE_TTL_MS', {
    default: '15000',
    unit: 'ms',
    schema: value.whole(1_000, 600_000),
    help: 'lifetime of a lease: other nodes claim the connections of a node that has not renewed its lease for so long',
  })
  readonly dialConcurrency: Setting<number> = new Setting('MQTT_DIAL_CONCURRENCY', {
    default: '50',
    schema: value.whole(1, 10_000),
    help: 'largest number of MQTT connections that the server dials at the same time',
  })
  readonly activityFlushMs: Setting<number> = new Setting('ACTIVITY_FLUSH_MS', {
    default: '60000',
    unit: 'ms',
    schema: value.whole(100, 3_600_000),
    help: 'interval at which the server writes the times of last messages, all together',
  })
  /** What the dial guard permits besides public addresses. */
  readonly allow: DialGuard = new DialGuard()
}

class Secrets {
  /** The first key encrypts, all decrypt; the list may be empty. */
  readonly keys: Setting<readonly SecretKey[]> = new Setting('MQTT_SECRET_KEYS', {
    schema: value.secretKeys,
    secret: true,
    help: 'keys that stored secrets are encrypted with, as id:base64, comma separated; the first encrypts, all decrypt',
  })
  /** The file that the keys were read from; no reference in the database may name it. */
  readonly keysFile: Setting<string | undefined> = new Setting('MQTT_SECRET_KEYS_FILE', {
    schema: v.optional(v.string()),
    fileOf: 'MQTT_SECRET_KEYS',
    help: 'file with these keys, one a line, instead of MQTT_SECRET_KEYS',
  })
}

class Feed {
  readonly pollMs: Setting<number> = new Setting('FEED_POLL_MS', {
    default: '2000',
    unit: 'ms',
    schema: value.whole(50, 600_000),
    help: 'interval at which the server reads changes from the database when no notification arrives',
  })
}

class Hub {
  readonly tickMs: Setting<number> = new Setting('TICK_MS', {
    default: '50',
    unit: 'ms',
    schema: value.whole(1, 10_000),
    help: 'time for which the server gathers changes into one frame',
  })
}

class Limits {
  readonly socketsPerAddress: Setting<number> = new Setting('SOCKETS_PER_ADDRESS', {
    default: '256',
    schema: value.whole(0, 1_000_000),
    help: 'largest number of open sockets and streams of one address; 0 = no limit',
  })
  readonly socketsPerToken: Setting<number> = new Setting('SOCKETS_PER_TOKEN', {
    default: '64',
    schema: value.whole(0, 1_000_000),
    help: 'largest number of open sockets and streams of one token; 0 = no limit',
  })
  readonly handshakesPerAddress: Setting<number> = new Setting('HANDSHAKES_PER_ADDRESS', {
    default: '50',
    schema: value.whole(0, 1_000_000),
    help: 'sockets and streams that one address may open per second; 0 = no limit',
  })
  readonly requestsPerAddress: Setting<number> = new Setting('REQUESTS_PER_ADDRESS', {
    default: '256',
    schema: value.whole(0, 1_000_000),
    help: 'requests of one address that may be under way, without sockets and streams; 0 = no limit',
  })
  readonly trustedProxies: Setting<readonly string[]> = new Setting('TRUSTED_PROXIES', {
    default: '',
    schema: value.cidrs,
    help: 'addresses and ranges of the proxies whose X-Forwarded-For the server trusts, comma separated',
  })
}

class Retention {
  readonly historyDays: Setting<number> = new Setting('HISTORY_RETENTION_DAYS', {
    default: '90',
    unit: 'days',
    schema: value.whole(1, 36_500),
    help: 'time for which the server keeps the timeline of statuses',
  })
  readonly auditDays: Setting<number> = new Setting('AUDIT_RETENTION_DAYS', {
    default: '365',
    unit: 'days',
    schema: value.whole(1, 36_500),
    help: 'time for which the server keeps commands and edits',
  })
}

class Log {
  readonly level: Setting<LogLevel> = new Setting('LOG_LEVEL', {
    default: 'info',
    schema: value.word(['debug', 'info', 'warn', 'error', 'silent']),
    help: 'lowest level of the lines in the log: debug, info, warn, error or silent',
  })
  readonly format: Setting<LogFormat | undefined> = new Setting('LOG_FORMAT', {
    schema: v.optional(value.word(['json', 'pretty'])),
    otherwise: 'pretty on a terminal, else json',
    help: 'format of the log: json or pretty',
  })
}

/** In the order in which `serve --help` lists the rows. */
export class Table {
  readonly host: Setting<string> = new Setting('HOST', {
    default: '127.0.0.1',
    schema: v.string(),
    help: 'address that the server listens on',
  })
  readonly port: Setting<number> = new Setting('PORT', {
    default: '8001',
    schema: value.whole(0, 65_535),
    help: 'port that the server listens on',
  })
  /** Starts and ends with a slash. */
  readonly basePath: Setting<string> = new Setting('BASE_PATH', {
    default: '/',
    schema: value.basePath,
    help: 'path that all endpoints start with',
  })
  readonly database: Database = new Database()
  readonly auth: Auth = new Auth()
  readonly allowedOrigins: Setting<readonly string[] | '*'> = new Setting('ALLOWED_ORIGINS', {
    schema: value.origins,
    otherwise: 'same origin; loopback in open mode',
    help: 'origins of the pages that may connect, comma separated; * = any',
  })
  readonly supervisor: Supervisor = new Supervisor()
  readonly secrets: Secrets = new Secrets()
  readonly feed: Feed = new Feed()
  readonly hub: Hub = new Hub()
  readonly heartbeatMs: Setting<number> = new Setting('HEARTBEAT_MS', {
    default: String(HEARTBEAT_MS),
    unit: 'ms',
    schema: value.whole(100, 600_000),
    help: 'interval of the pings that the server sends to each client',
  })
  readonly limits: Limits = new Limits()
  readonly drainMs: Setting<number> = new Setting('DRAIN_MS', {
    default: '15000',
    unit: 'ms',
    schema: value.whole(100, 600_000),
    help: 'longest time that a shutdown may take',
  })
  readonly retention: Retention = new Retention()
  readonly log: Log = new Log()
}

export const TABLE: Table = new Table()

/**
 * The parsed values of all rows.
 *
 * @internal `Config` is computed from it; a program names its members, such as `Config['limits']`
 */
export type SettingValues = ValuesOf<Table>

export const SETTINGS: readonly Setting<unknown>[] = rowsOf(TABLE)

export interface Unsupported {
  readonly variable: string
  /** `refused`: without the setting the server would do something else than the operator wants. */
  readonly kind: 'refused' | 'ignored'
  readonly why: string
}

/** Names that later versions may give an effect; the server does not pass over them in silence. */
export const UNSUPPORTED: readonly Unsupported[] = [
  refused(
    'AUTH_JWKS_URL',
    'tokens of an identity provider are not supported yet; use AUTH_JWT_SECRET',
  ),
  refused('AUTH_CLAIMS', 'tokens of an identity provider are not supported yet; unset it'),
  refused('MQTT_LOCAL_ADDRESSES', 'addresses to dial from can not be chosen yet; unset it'),
  refused('NATS_BUCKET', 'edge nodes are not supported yet; unset it'),
  refused('NATS_URL', 'edge nodes are not supported yet; unset it'),
  refused('REUSE_PORT', 'several processes on one port are not supported yet; unset it'),
  {
    variable: 'METRICS_TOKEN',
    kind: 'ignored',
    why: 'is set, but this version has nothing that it protects: it has no effect',
  },
]

function refused(variable: string, why: string): Unsupported {
  return { variable, kind: 'refused', why }
}
