/** Parses a connection string into the address of a Postgres, with a note for each parameter without effect. */
import { readFileSync } from 'node:fs'
import { ConnectionStringFault } from './fault.ts'
import { readParameters } from './parameters.ts'
import type { Read, Wishes } from './parameters.ts'
import { given, split, toPort } from './split.ts'
import type { Host, Parts } from './split.ts'
import { toTls } from './tls.ts'
import type { ReadFile, Tls } from './tls.ts'

/** `environment`: PGHOST and PGPORT, or else this machine. `hosts` are tried in turn. */
export type Target =
  | { readonly kind: 'environment' }
  | { readonly kind: 'hosts'; readonly hosts: readonly Endpoint[] }
  | { readonly kind: 'socket'; readonly path: string }

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface PostgresAddress {
  readonly target: Target
  /** `null`: that of the environment (PGUSER) or of the operating system. */
  readonly user: string | null
  /** A function, so that no log shows it; `null`: that of the environment (PGPASSWORD). */
  readonly password: (() => string) | null
  readonly database: string | null
  readonly tls: Tls
  /** `null`: the default of the server. */
  readonly connectTimeoutS: number | null
  /** The idle time in seconds after which the operating system sends TCP keep-alives; 0 = never. */
  readonly keepAliveS: number | null
  /** The kind of server to choose among several (`target_session_attrs`). */
  readonly session: string | null
  /** Replaces "mqtt-status" in the names of sessions. */
  readonly applicationName: string | null
  /** The schema in the address; DATABASE_SCHEMA overrides it. */
  readonly schema: string | null
  /** Whether the next transaction can use a prepared statement again; behind a pooler it can not. */
  readonly prepare: boolean
  /** A sentence about each parameter without effect. */
  readonly notes: readonly string[]
}

const PORT = 5432

/**
 * @throws ConnectionStringFault with what to write instead
 * @see https://www.postgresql.org/docs/current/libpq-connect.html
 */
export function parseAddress(
  text: string,
  readFile: ReadFile = (path) => readFileSync(path, 'utf8'),
): PostgresAddress {
  const parts = split(text.trim())
  const { wishes, ignored } = readParameters(parts.parameters)
  const target = toTarget(parts, wishes)
  return {
    target,
    ...toLogin(parts, wishes),
    // A connection through a socket of the file system stays on the machine, so it uses no TLS, as in libpq.
    tls:
      target.kind === 'socket' ? { kind: 'off' } : toTls(wishes, namesOf(parts, wishes), readFile),
    connectTimeoutS: wishes.connectTimeoutS ?? null,
    keepAliveS: wishes.keepAliveS ?? null,
    session: wishes.session ?? null,
    applicationName: wishes.applicationName ?? null,
    schema: wishes.schema ?? null,
    prepare: wishes.prepare ?? true,
    notes: toNotes(ignored),
  }
}

function toLogin(
  parts: Parts,
  wishes: Readonly<Wishes>,
): Pick<PostgresAddress, 'user' | 'password' | 'database'> {
  const password = wishes.password ?? parts.password
  return {
    user: wishes.user ?? parts.user,
    password: password === null ? null : () => password,
    database: wishes.database ?? parts.database,
  }
}

/** Whether two addresses lead to the same place. */
export function isSamePlace(a: PostgresAddress, b: PostgresAddress): boolean {
  const place = ({ target, database }: PostgresAddress): string =>
    JSON.stringify([target, database])
  return place(a) === place(b)
}

function toTarget(parts: Parts, wishes: Readonly<Wishes>): Target {
  const hosts = hostsOf(parts, wishes)
  const sockets = hosts.filter(({ name }) => name?.startsWith('/'))
  const [socket] = sockets
  if (socket !== undefined) {
    if (hosts.length > 1)
      throw new ConnectionStringFault('a socket of the file system can not be one of several hosts')
    return { kind: 'socket', path: `${socket.name ?? ''}/.s.PGSQL.${socket.port ?? PORT}` }
  }
  if (hosts.every(({ name, port }) => name === null && port === null))
    return { kind: 'environment' }
  return {
    kind: 'hosts',
    hosts: hosts.map(({ name, port }) => ({ host: name ?? 'localhost', port: port ?? PORT })),
  }
}

function hostsOf(parts: Parts, wishes: Readonly<Wishes>): readonly Host[] {
  const names = (wishes.hostaddr ?? wishes.host)?.split(',')
  const ports = wishes.port?.split(',').map((port) => (port === '' ? null : toPort(port)))
  const hosts: readonly Host[] =
    names?.map((name, i) => ({ name: given(name), port: parts.hosts[i]?.port ?? null })) ??
    (parts.hosts.length === 0 ? [{ name: null, port: null }] : parts.hosts)
  if (ports !== undefined && ports.length !== 1 && ports.length !== hosts.length)
    throw new ConnectionStringFault('port: expected one port for all hosts, or one for each')
  return hosts.map(({ name, port }, i) => ({
    name,
    port: (ports?.length === 1 ? ports[0] : ports?.[i]) ?? port,
  }))
}

/** The names that certificates are checked for; `hostaddr` does not change them. */
function namesOf(parts: Parts, { host, hostaddr }: Readonly<Wishes>): readonly string[] {
  const names = host?.split(',') ?? parts.hosts.flatMap(({ name }) => name ?? [])
  if (names.length > 0) return names
  return hostaddr?.split(',') ?? ['localhost']
}

function toNotes(ignored: Read['ignored']): readonly string[] {
  return Array.from(ignored, ([why, unused]) => {
    const names = unused.map(({ name }) => name).join(', ')
    return `${names} ${unused.length === 1 ? 'has' : 'have'} no effect: ${why}`
  })
}
