import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { REASONS } from '@mqtt-status/protocol'
import type { Reason } from '@mqtt-status/protocol'
import { ScriptedBroker } from '@mqtt-status/testing/scripted-broker'
import { until } from '@mqtt-status/testing/until'
import { expect, test } from 'vitest'
import { fromCode, fromError } from '../../src/mqtt/reasons/classify-failure.ts'
import { atEnd, CALM, kept, world } from './stage.ts'

/** Each code of CONNACK, by version; the status after the first failure is the same for all: reconnecting. */
const CONNACK: readonly (readonly [version: 4 | 5, code: number, reason: Reason])[] = [
  [4, 1, 'protocol_version'],
  [4, 2, 'client_id_rejected'],
  [4, 3, 'server_unavailable'],
  [4, 4, 'bad_credentials'],
  [4, 5, 'not_authorized'],
  [5, 1, 'protocol_version'],
  [5, 128, 'closed_by_broker'],
  [5, 129, 'protocol_error'],
  [5, 130, 'protocol_error'],
  [5, 132, 'protocol_version'],
  [5, 133, 'client_id_rejected'],
  [5, 134, 'bad_credentials'],
  [5, 135, 'not_authorized'],
  [5, 136, 'server_unavailable'],
  [5, 137, 'server_busy'],
  [5, 138, 'banned'],
  [5, 140, 'auth_method'],
  [5, 144, 'will_rejected'],
  [5, 151, 'quota'],
  [5, 153, 'will_rejected'],
  [5, 154, 'will_rejected'],
  [5, 155, 'will_rejected'],
  [5, 156, 'use_another_server'],
  [5, 157, 'server_moved'],
  [5, 159, 'rate_exceeded'],
]

test.each(CONNACK)('CONNACK of MQTT %i with code %i is %s', async (version, code, reason) => {
  const broker = kept(
    await ScriptedBroker.start({
      // Only the first is answered, so that the status stays as it left it.
      onConnect: (connection, _packet, before) => before === 0 && connection.connack(code),
    }),
  )
  const it = world({ timing: CALM })
  it.add('a', { port: broker.port, protocolVersion: version, topics: null })
  await it.status('a', 'reconnecting', reason)
  expect(it.writes.at(-1)?.mqttReasonCode).toBe(code)
})

const DISCONNECT: readonly (readonly [code: number, reason: Reason])[] = [
  [130, 'protocol_error'],
  [149, 'protocol_error'],
  [135, 'not_authorized'],
  [137, 'server_busy'],
  [139, 'server_shutting_down'],
  [141, 'server_keepalive'],
  [142, 'session_taken_over'],
  [150, 'rate_exceeded'],
  [151, 'quota'],
  [152, 'admin_action'],
  [156, 'use_another_server'],
  [157, 'server_moved'],
  [159, 'rate_exceeded'],
  [160, 'max_connect_time'],
]

test.each(
  DISCONNECT.flatMap(([code, reason]) => [
    [code, reason, true] as const,
    [code, reason, false] as const,
  ]),
)(
  'scenario 10: DISCONNECT %i leaves connected at once, as %s (the socket is closed: %s)',
  async (code, reason, closes) => {
    const broker = kept(
      await ScriptedBroker.start({
        onConnect: (connection, _packet, before) => {
          if (before > 0) return
          connection.connack(0)
          connection.send({ cmd: 'disconnect', reasonCode: code })
          if (closes) connection.socket.end()
        },
      }),
    )
    const it = world({ timing: CALM })
    it.add('a', { port: broker.port, protocolVersion: 5, topics: null })
    await it.status('a', 'reconnecting', reason)
    expect(it.writes.at(-1)?.mqttReasonCode).toBe(code)
    await until(() => broker.sockets === 0)
  },
)

test.each([
  [401, 'bad_credentials'],
  [403, 'not_authorized'],
  [404, 'websocket_refused'],
  [302, 'websocket_refused'],
  [429, 'rate_exceeded'],
  [503, 'server_unavailable'],
] as const)('a web server that answers %i to a WebSocket is %s', async (status, reason) => {
  const server = createServer((_request, response) => {
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end()
  }).listen(0, '127.0.0.1')
  server.on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 ${status} No\r\nLocation: ws://127.0.0.1:1/\r\nConnection: close\r\n\r\n`)
  })
  atEnd(() => new Promise((resolve) => server.close(() => resolve())))
  await until(() => server.listening)
  const it = world({ timing: CALM })
  it.add('a', { protocol: 'ws', port: (server.address() as AddressInfo).port, topics: null })
  await it.status('a', 'reconnecting', reason)
})

test.each([
  ['EAI_AGAIN', 'dns_temporary'],
  ['ENOTFOUND', 'dns_not_found'],
] as const)('a name that is answered with %s is %s', async (code, reason) => {
  const it = world({
    timing: CALM,
    lookup: () => Promise.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code })),
  })
  it.add('a', { host: 'broker.example', port: 1883 })
  await it.status('a', 'reconnecting', reason)
})

test('a row whose secret can not be read is failed/secret_unreadable, and no other row', async () => {
  const broker = kept(
    await ScriptedBroker.start({ onConnect: (connection) => connection.connack(0) }),
  )
  const it = world()
  it.secrets.set('a', null)
  it.add('a', { port: broker.port, topics: null })
  it.add('b', { port: broker.port, topics: null })
  await it.status('a', 'failed', 'secret_unreadable')
  await it.status('b', 'connected')
})

test('the server sends the password to the broker alone', async () => {
  const seen: string[] = []
  const broker = kept(
    await ScriptedBroker.start({
      onConnect: (connection, { username, password }) => {
        seen.push(`${username}:${password?.toString()}`)
        connection.connack(5)
      },
    }),
  )
  const it = world({ timing: CALM })
  it.secrets.set('a', { password: 'planted-secret' })
  it.add('a', { port: broker.port, username: 'portal', topics: null })
  await it.status('a', 'reconnecting', 'not_authorized')
  expect(seen).toEqual(['portal:planted-secret'])
  expect(JSON.stringify(it.writes)).not.toContain('planted')
})

test('each error of the network and TLS has a reason, and each reason of a failure has an error', () => {
  const network: readonly (readonly [code: string, reason: Reason])[] = [
    ['ECONNREFUSED', 'connection_refused'],
    ['EHOSTUNREACH', 'host_unreachable'],
    ['ENETUNREACH', 'host_unreachable'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['ECONNRESET', 'connection_reset'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_untrusted'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_untrusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_untrusted'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls_untrusted'],
    ['CERT_HAS_EXPIRED', 'tls_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_hostname'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_client_cert'],
    ['EAI_AGAIN', 'dns_temporary'],
    ['ENOTFOUND', 'dns_not_found'],
    ['EMFILE', 'local_resources'],
    ['EADDRINUSE', 'local_ports_exhausted'],
    ['EINVAL', 'network_error'],
    ['CERT_NOT_YET_VALID', 'tls_not_yet_valid'],
    ['CERT_REVOKED', 'tls_revoked'],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'tls_unknown_name'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_version'],
    ['ERR_SSL_DH_KEY_TOO_SMALL', 'tls_weak'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'tls_handshake'],
  ]
  for (const [code, reason] of network)
    expect([code, fromError(Object.assign(new Error('x'), { code }), true).reason]).toEqual([
      code,
      reason,
    ])
  // The rest is made where it is seen: by the session, the machine, the guard, the settings and the secrets.
  const elsewhere: readonly Reason[] = [
    'not_mqtt',
    'websocket_refused',
    'keepalive_timeout',
    'config_invalid',
    'address_blocked',
    'secret_unreadable',
    'flapping',
    'client_id_conflict',
  ]
  const reached = new Set<Reason>([
    ...network.map(([, reason]) => reason),
    ...CONNACK.map(([, code]) => fromCode(code, null).reason),
    ...DISCONNECT.map(([code]) => fromCode(code, null).reason),
    ...elsewhere,
  ])
  const failures = Object.entries(REASONS).filter(([, kind]) => kind !== 'none')
  expect([...reached].toSorted()).toEqual(failures.map(([reason]) => reason).toSorted())
})
