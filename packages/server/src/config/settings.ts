/** Every setting of the server in one table: its variable, its flag, its default and what it means. */
export interface Setting {
  readonly variable: string
  /** The flag of `serve` that overrides the variable. */
  readonly flag: string
  /** As written in the environment; `undefined` = not set. */
  readonly default: string | undefined
  readonly description: string
}

const DEFAULT_PORTS = '1883,8883,443,8083,8084'

/** In the order in which `serve --help` lists them. */
export const SETTINGS: readonly Setting[] = [
  setting('HOST', '127.0.0.1', 'address to listen on'),
  setting('PORT', '8001', 'port to listen on'),
  setting('BASE_PATH', '/', 'path that all endpoints start with'),
  setting(
    'DATABASE_URL',
    undefined,
    'Postgres to use, as postgres://user:password@host:port/database',
  ),
  setting(
    'LISTEN_DATABASE_URL',
    undefined,
    'direct address for LISTEN where DATABASE_URL is a pooler (default: DATABASE_URL)',
  ),
  setting(
    'DATABASE_SCHEMA',
    undefined,
    'schema of the tables (default: where they are already, mqtt_status in a new database)',
  ),
  setting('DATABASE_POOL', '10', 'database connections at most'),
  setting('STATEMENT_TIMEOUT_MS', '10000', 'longest time that one statement may take, in ms'),
  setting(
    'ADOPT_DATABASE',
    '0',
    '1: supervise the connections of a copied, restored or promoted database without being asked; 0: wait for "doctor --adopt"',
  ),
  setting('AUTH_JWT_SECRET', undefined, 'secret of the HS256 tokens, 32 bytes or more'),
  setting('AUTH_ISSUER', undefined, 'issuer (iss) that tokens must name'),
  setting('AUTH_AUDIENCE', undefined, 'audience (aud) that tokens must name'),
  setting('AUTH_MAX_TTL', '7d', 'longest time that a token may be valid, like 30m, 12h or 7d'),
  setting(
    'ALLOWED_ORIGINS',
    undefined,
    'origins of the pages that may connect, comma separated; * = any',
  ),
  setting('SUPERVISOR', 'on', 'on: this node keeps MQTT connections; off: it only delivers'),
  setting(
    'LEASE_TTL_MS',
    '15000',
    'how long a node may be silent before the others take over what it keeps, in ms',
  ),
  setting('MQTT_DIAL_CONCURRENCY', '50', 'MQTT connections dialled at the same time'),
  setting(
    'MQTT_ALLOW_CIDRS',
    '',
    'address ranges that may be dialled besides public ones, comma separated',
  ),
  setting(
    'MQTT_ALLOW_HOSTS',
    '',
    'host names that may be dialled whatever they resolve to, comma separated',
  ),
  setting(
    'MQTT_ALLOW_PORTS',
    DEFAULT_PORTS,
    'ports and ranges that may be dialled, comma separated',
  ),
  setting(
    'MQTT_SECRET_KEYS',
    undefined,
    'keys that stored secrets are encrypted with, as id:base64, comma separated; the first encrypts, all decrypt',
  ),
  setting('MQTT_SECRET_KEYS_FILE', undefined, 'file to read these keys from instead, one a line'),
  setting(
    'ACTIVITY_FLUSH_MS',
    '60000',
    'how often the times of last messages are written, all at once, in ms',
  ),
  setting('FEED_POLL_MS', '2000', 'how often the database is read without being told to, in ms'),
  setting('TICK_MS', '50', 'how long changes are gathered after the first, in ms'),
  setting('HEARTBEAT_MS', '25000', 'time between pings to a client, in ms'),
  setting(
    'SOCKETS_PER_ADDRESS',
    '256',
    'open sockets and streams of one address at most; 0 = no limit',
  ),
  setting('SOCKETS_PER_TOKEN', '64', 'open sockets and streams of one token at most; 0 = no limit'),
  setting(
    'HANDSHAKES_PER_ADDRESS',
    '50',
    'sockets and streams that one address may open, per second; 0 = no limit',
  ),
  setting(
    'TRUSTED_PROXIES',
    '',
    'address ranges of proxies whose X-Forwarded-For is believed, comma separated',
  ),
  setting('DRAIN_MS', '15000', 'longest time a shutdown may take, in ms'),
  setting('HISTORY_RETENTION_DAYS', '90', 'how long the timeline of statuses is kept, in days'),
  setting('AUDIT_RETENTION_DAYS', '365', 'how long commands and edits are kept, in days'),
  setting('LOG_LEVEL', 'info', 'debug, info, warn, error or silent'),
  setting('LOG_FORMAT', undefined, 'json or pretty (default: pretty on a terminal, else json)'),
]

function setting(variable: string, fallback: string | undefined, description: string): Setting {
  return {
    variable,
    flag: `--${variable.toLowerCase().replaceAll('_', '-')}`,
    default: fallback,
    description,
  }
}

/** Environment variables are strings or absent. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Names that begin like ours; a variable of another program must not be warned about. */
const OURS =
  /^(MQTT_|ACTIVITY_|HISTORY_|AUDIT_|AUTH_|ADOPT_|LEASE_|FEED_|DATABASE_|LISTEN_|ALLOWED_|HEARTBEAT|SUPERVISOR|TICK_|DRAIN_|STATEMENT_|BASE_PATH|LOG_|SOCKETS_|HANDSHAKES_|TRUSTED_)/

/** Warnings about variables that look like a misspelt setting. */
export function nearMisses(environment: Environment): string[] {
  const known = SETTINGS.map((s) => s.variable)
  return Object.keys(environment)
    .filter((name) => OURS.test(name) && !known.includes(name))
    .flatMap((name) => {
      const meant = known.find((candidate) => distance(name, candidate) <= 2)
      return meant === undefined ? [] : [`${name} is not a setting; did you mean ${meant}?`]
    })
}

/** Levenshtein distance of two short names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
