/**
 * Parameters of connection strings that the server does not implement. It ignores most of them with a note, and refuses those
 * without which it would connect less securely, or to another server.
 */
import { ConnectionStringFault } from './fault.ts'

/** Parameters without effect, by the reason, which ends a sentence. */
const IGNORED: Readonly<Record<string, readonly string[]>> = {
  'set DATABASE_POOL instead': [
    ...[
      'connection_limit',
      'pool',
      'pool_size',
      'max_overflow',
      'max',
      'max_pool_size',
      'pool_max_conns',
    ],
    ...['pool_min_conns', 'pool_timeout', 'pool_max_conn_lifetime', 'pool_max_conn_idle_time'],
    ...[
      'pool_health_check_period',
      'checkout_timeout',
      'conn_max_age',
      'conn_health_checks',
      'idle_timeout',
    ],
    ...['max_lifetime', 'max_idle_connection_lifetime', 'max_connection_lifetime'],
  ],
  'set STATEMENT_TIMEOUT_MS instead': [
    ...['socket_timeout', 'sockettimeout', 'statement_timeout', 'query_timeout', 'command_timeout'],
    ...['querytimeout', 'canceltimeout', 'cancelsignaltimeout', 'timeout', 'variables'],
  ],
  'the server does not bind the password to the TLS channel': ['channel_binding', 'channelbinding'],
  'the server never uses GSSAPI': ['krbsrvname', 'gsslib', 'gssdelegation', 'gssencmode'],
  'Node has one setting for keep-alive, keepalives_idle': [
    ...['keepalives_interval', 'keepalives_count', 'tcp_user_timeout', 'tcpkeepalive'],
  ],
  'the host name or the user name says it already': [
    'supa',
    'workaround',
    'project',
    'endpoint',
    'reference',
  ],
  'the server needs only one of the hosts': [
    'load_balance_hosts',
    'loadbalancehosts',
    'hostrecheckseconds',
  ],
  'it is a setting of another client': [
    ...[
      'client_encoding',
      'sslcompression',
      'sslcertmode',
      'sslkeylogfile',
      'min_protocol_version',
    ],
    ...[
      'max_protocol_version',
      'servicefile',
      'replication_slot',
      'encoding',
      'charset',
      'reconnect',
      'adapter',
    ],
    ...[
      'min_messages',
      'insert_returning',
      'advisory_locks',
      'logintimeout',
      'tcpnodelay',
      'readonly',
    ],
    ...['readonlymode', 'rewritebatchedinserts', 'preparedstatementcachequeries', 'binarytransfer'],
    ...[
      'preparedstatementcachesizemib',
      'defaultrowfetchsize',
      'assumeminserverversion',
      'loglevel',
      'unknownlength',
    ],
    ...[
      'stringtype',
      'prefersimplequery',
      'prefer_simple_protocol',
      'default_query_exec_mode',
      'binary_parameters',
    ],
    ...[
      'description_cache_capacity',
      'statement_cache_capacity',
      'uselibpqcompat',
      'fallback',
      'serverversion',
    ],
    ...['sslresponsetimeout', 'gssresponsetimeout', 'escapesyntaxcallmode', 'timezone'],
  ],
}

const REFUSED: Readonly<Record<string, string>> = {
  service: 'write the host, the database and the user into the address; service files are not read',
  passfile: 'write the password into the address, or set PGPASSWORD; password files are not read',
  requirepeer: 'the user of the process behind the socket is not checked here; leave it out',
  require_auth: 'the server can not insist on a way of logging in; demand it in pg_hba.conf',
  replication: 'the server uses no replication session; leave it out',
  scram_client_key: 'write a password instead; keys of SCRAM are not used here',
  scram_server_key: 'write a password instead; keys of SCRAM are not used here',
  oauth_issuer: 'write a password instead; OAuth is not supported',
  oauth_client_id: 'write a password instead; OAuth is not supported',
  oauth_client_secret: 'write a password instead; OAuth is not supported',
  oauth_scope: 'write a password instead; OAuth is not supported',
  sslidentity: 'convert the PKCS#12 file to PEM, and use sslcert and sslkey',
  sslcrldir: 'put the revocation lists into one file, and use sslcrl',
  sslhostnameverifier: 'it is a class of Java; use sslmode=verify-full instead',
  sslpasswordcallback: 'it is a class of Java; use sslpassword instead',
  socketfactory: 'it is a class of Java; the server opens its sockets itself',
  authenticationpluginclassname: 'it is a class of Java; write the password into the address',
  'gssencmode=require': 'GSSAPI is not supported; use sslmode=verify-full instead',
  'sslcertmode=require':
    'use sslcert and sslkey; a server that asks for no certificate can not be refused',
}

const IGNORED_BY_NAME = new Map(
  Object.entries(IGNORED).flatMap(([why, names]) => names.map((name) => [name, why] as const)),
)

/** The reason for which a parameter has no effect. */
export function whyIgnored(name: string): string {
  return IGNORED_BY_NAME.get(name) ?? 'the server does not know it'
}

interface Parameter {
  readonly name: string
  readonly value: string
  /** Whether a value of the parameter has an effect. */
  readonly isKnown: boolean
}

/** @throws ConnectionStringFault for a parameter without which the connection would be less secure */
export function refuse({ name, value, isKnown }: Parameter): void {
  const why = REFUSED[name] ?? REFUSED[`${name}=${value}`]
  if (why !== undefined) throw new ConnectionStringFault(`${name}: ${why}`)
  if (!isKnown && !IGNORED_BY_NAME.has(name) && /ssl|tls/.test(name))
    throw new ConnectionStringFault(
      `the parameter "${name}" is not known; for TLS there are sslmode, sslrootcert, sslcert and sslkey`,
    )
}

/** The settings in `options` that have no effect: all but `search_path`. */
export function unusedOptions(value: string): { name: string; why: string }[] {
  return [...value.matchAll(/(?:^|[\s+])(?:-c[\s+]*|--)?([\w.]+)=/g)]
    .map(([, setting = '']) => setting)
    .filter((setting) => setting !== 'search_path')
    .map((setting) => ({
      name: `options (${setting})`,
      why:
        IGNORED_BY_NAME.get(setting) ??
        'it is a setting of the session; use "alter role … set …" instead',
    }))
}
