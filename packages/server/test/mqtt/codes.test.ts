/**
 * Every code that Node, its resolver and OpenSSL can report for a dial, with its reason, the class of the reason, and what
 * it does to the gate of the host. The lists come from the runtime where it has them, so a new code is tested as soon as
 * a new Node brings it: it has to be temporary.
 */
import { readFileSync } from 'node:fs'
import dns from 'node:dns'
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { REASONS } from '@mqtt-status/protocol'
import type { Reason, ReasonClass } from '@mqtt-status/protocol'
import { describe, expect, test } from 'vitest'
import type { Step } from '../../src/mqtt/reasons/attribution.ts'
import { HostGate } from '../../src/mqtt/dial/host-gate.ts'
import {
  fromClient,
  fromError,
  fromLookup,
  fromThrown,
} from '../../src/mqtt/reasons/classify-failure.ts'
import type { Failure } from '../../src/mqtt/reasons/failure.ts'
import { OPENSSL_REASONS } from './openssl-reasons.ts'

/** `closes`: at once. `doubts`: after three in a row. `reached`: the host answers. `nothing`: whatever the count. */
type Effect = 'closes' | 'doubts' | 'reached' | 'nothing'
type Expected = readonly [reason: Reason, kind: ReasonClass, effect: Effect]

const UNKNOWN: Expected = ['network_error', 'transient', 'doubts']
const RESOURCES: Expected = ['local_resources', 'transient', 'nothing']
const PORTS: Expected = ['local_ports_exhausted', 'transient', 'nothing']
const UNREACHABLE: Expected = ['host_unreachable', 'transient', 'closes']
const RESET: Expected = ['connection_reset', 'transient', 'doubts']
const TEMPORARY: Expected = ['dns_temporary', 'transient', 'closes']
const NO_NAME: Expected = ['dns_not_found', 'transient', 'closes']
const HANDSHAKE: Expected = ['tls_handshake', 'transient', 'doubts']
const UNTRUSTED: Expected = ['tls_untrusted', 'permanent', 'reached']
const HOSTNAME: Expected = ['tls_hostname', 'permanent', 'reached']
const CLIENT_CERT: Expected = ['tls_client_cert', 'permanent', 'reached']
const VERSION: Expected = ['tls_version', 'permanent', 'reached']
const WEAK: Expected = ['tls_weak', 'permanent', 'reached']
const UNKNOWN_NAME: Expected = ['tls_unknown_name', 'permanent', 'reached']
const IMPOSSIBLE: Expected = ['config_invalid', 'permanent', 'nothing']

function table(...groups: readonly (readonly [Expected, string])[]): Record<string, Expected> {
  return Object.fromEntries(
    groups.flatMap(([expected, codes]) => codes.split(/[|\s]+/).map((code) => [code, expected])),
  )
}

const NO_NAME_CODES =
  'ENOTFOUND ENODATA ENONAME EBADNAME EAI_NONAME EAI_NODATA EAI_ADDRFAMILY EAI_OVERFLOW'
const BROKEN_RESOLVER = 'EFILE ENOTINITIALIZED ELOADIPHLPAPI EADDRGETNETWORKPARAMS EAI_MEMORY'
const SERVER_SILENT =
  'EAI_AGAIN EAI_FAIL EAI_BADFLAGS EAI_BADHINTS EAI_CANCELED EAI_FAMILY EAI_PROTOCOL EAI_SERVICE EAI_SOCKTYPE EFORMERR ESERVFAIL ENOTIMP EREFUSED EBADQUERY EBADFAMILY EBADRESP ETIMEOUT EDESTRUCTION EBADSTR EBADFLAGS EBADHINTS ECANCELLED'

/** The codes with a listed reason; every other code of the runtime is in {@link UNKNOWN}. */
const DIAL = table(
  [RESOURCES, 'EMFILE ENFILE ENOBUFS ENOMEM ENOSR ENOSPC EAGAIN EWOULDBLOCK EACCES EPERM'],
  [PORTS, 'EADDRINUSE EADDRNOTAVAIL'],
  [['connection_refused', 'transient', 'closes'], 'ECONNREFUSED'],
  [UNREACHABLE, 'EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENONET EAFNOSUPPORT'],
  [['connect_timeout', 'transient', 'doubts'], 'ETIMEDOUT'],
  [RESET, 'ECONNRESET ECONNABORTED ENETRESET ENOTCONN EPIPE ESHUTDOWN'],
  [['closed_by_broker', 'transient', 'doubts'], 'EOF'],
  [NO_NAME, NO_NAME_CODES],
  [RESOURCES, BROKEN_RESOLVER],
  [TEMPORARY, SERVER_SILENT],
)

/** Every other code of the runtime is in {@link TEMPORARY}. */
const LOOKUP = table(
  [NO_NAME, NO_NAME_CODES],
  [RESOURCES, `${BROKEN_RESOLVER} EMFILE ENFILE ENOBUFS ENOMEM ENOSR ENOSPC EAGAIN EWOULDBLOCK`],
  [RESOURCES, 'EACCES EPERM'],
  [PORTS, 'EADDRINUSE EADDRNOTAVAIL'],
)

/** All that Node names (doc/api/tls.md, "X509 certificate error codes"), and three that OpenSSL has besides. */
const VERDICTS = table(
  [UNTRUSTED, 'UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE'],
  [UNTRUSTED, 'UNABLE_TO_DECRYPT_CRL_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY'],
  [UNTRUSTED, 'CERT_SIGNATURE_FAILURE CRL_SIGNATURE_FAILURE CRL_NOT_YET_VALID CRL_HAS_EXPIRED'],
  [UNTRUSTED, 'ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD'],
  [UNTRUSTED, 'ERROR_IN_CRL_LAST_UPDATE_FIELD ERROR_IN_CRL_NEXT_UPDATE_FIELD'],
  [UNTRUSTED, 'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN CERT_CHAIN_TOO_LONG'],
  [UNTRUSTED, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE INVALID_CA'],
  [UNTRUSTED, 'PATH_LENGTH_EXCEEDED INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED UNSPECIFIED'],
  [['tls_not_yet_valid', 'slow', 'reached'], 'CERT_NOT_YET_VALID'],
  [['tls_expired', 'permanent', 'reached'], 'CERT_HAS_EXPIRED'],
  [['tls_revoked', 'permanent', 'reached'], 'CERT_REVOKED'],
  [HOSTNAME, 'HOSTNAME_MISMATCH EMAIL_MISMATCH IP_ADDRESS_MISMATCH'],
  [RESOURCES, 'OUT_OF_MEM'],
)

/** Those of Node (doc/api/errors.md) that a client meets; whatever it brings besides is {@link HANDSHAKE}. */
const NODE_TLS = table(
  [HOSTNAME, 'ERR_TLS_CERT_ALTNAME_INVALID ERR_TLS_CERT_ALTNAME_FORMAT'],
  [WEAK, 'ERR_TLS_DH_PARAM_SIZE'],
  [['connect_timeout', 'transient', 'doubts'], 'ERR_TLS_HANDSHAKE_TIMEOUT'],
  [HANDSHAKE, 'ERR_TLS_RENEGOTIATION_DISABLED ERR_TLS_SESSION_ATTACK ERR_TLS_INVALID_STATE'],
  [HANDSHAKE, 'ERR_TLS_PSK_SET_IDENTITY_HINT_FAILED ERR_TLS_SOMETHING_NEW'],
)

/** Words of OpenSSL; whatever is not listed is {@link HANDSHAKE}. */
const OPENSSL: Readonly<Record<string, Expected>> = Object.fromEntries(
  (
    [
      [UNTRUSTED, 'certificate verify failed'],
      [VERSION, 'unsupported protocol|unsupported ssl version|unknown ssl version'],
      [VERSION, 'wrong ssl version|version too low|version too high|no protocols available'],
      [VERSION, 'bad legacy version|bad protocol version number|inappropriate fallback'],
      [VERSION, 'tlsv1 alert protocol version|tlsv1 alert inappropriate fallback'],
      [WEAK, 'dh key too small|ee key too small|ca key too small|ca md too weak'],
      [WEAK, 'legacy sigalg disallowed or unsupported|unsafe legacy renegotiation disabled'],
      [WEAK, 'tlsv1 alert insufficient security|tlsv1 alert export restriction'],
      [UNKNOWN_NAME, 'tlsv1 unrecognized name'],
      [CLIENT_CERT, 'tlsv1 alert unknown ca|tlsv1 alert access denied'],
      [CLIENT_CERT, 'tlsv13 alert certificate required|tlsv1 certificate unobtainable'],
      [CLIENT_CERT, 'tlsv1 bad certificate status response|tlsv1 bad certificate hash value'],
      ...['ssl/tls', 'sslv3'].map(
        (by) =>
          [
            CLIENT_CERT,
            `${by} alert bad certificate|${by} alert no certificate|${by} alert unsupported certificate|${by} alert certificate revoked|${by} alert certificate expired|${by} alert certificate unknown`,
          ] as const,
      ),
      [RESET, 'wrong version number|packet length too long|bad record type|http request'],
      [RESET, 'https proxy request|unknown protocol|unexpected eof while reading'],
    ] as const
  ).flatMap(([expected, words]) => words.split('|').map((word) => [word, expected])),
)

const SYSTEM_CODES = [
  ...new Set([
    ...Object.keys(constants.errno),
    ...Array.from(getSystemErrorMap().values(), ([code]) => code),
  ]),
]
const RESOLVER_CODES = Object.values(dns).flatMap((value) =>
  typeof value === 'string' && /^E[A-Z]+$/.test(value) ? [value as string] : [],
)

function errorOf(code: string, message: string = `connect ${code} 192.0.2.1:8883`): Error {
  return Object.assign(new Error(message), { code })
}

const ENTRY = { site: 's1', urgent: false }

async function effectOf(failure: Failure, step: Step): Promise<Effect> {
  const never = new AbortController().signal
  for (const [count, effect] of [
    [1, 'closes'],
    [3, 'doubts'],
  ] as const) {
    const gate = new HostGate({ most: 20, probeMs: 60_000 })
    for (let i = 0; i < count; i++) await dialThrough(gate, failure, step)
    const entered = await gate.enter(never, ENTRY)
    if (entered !== null && 'reason' in entered && entered.reason === failure.reason) return effect
  }
  return (await opensGate(failure, step)) ? 'reached' : 'nothing'
}

async function dialThrough(gate: HostGate, failure: Failure, step: Step): Promise<void> {
  const pass = await gate.enter(new AbortController().signal, ENTRY)
  if (pass !== null && 'failed' in pass) pass.failed(failure, step)
}

/** Whether it makes a gate that is down open again. */
async function opensGate(failure: Failure, step: Step): Promise<boolean> {
  const gate = new HostGate({ most: 20, probeMs: 0 })
  await dialThrough(gate, { reason: 'connection_refused', detail: null, code: null }, 'tcp')
  let woken = false
  gate.onceBack(() => (woken = true))
  await dialThrough(gate, failure, step)
  return woken
}

async function seen(failure: Failure, step: Step): Promise<Expected> {
  return [failure.reason, REASONS[failure.reason], await effectOf(failure, step)]
}

/** Compares all at once, so that one run shows every code that is off. */
async function expectAll(
  codes: readonly string[],
  { step, make }: { readonly step: Step; readonly make: (code: string) => Failure },
  expected: (code: string) => Expected,
): Promise<void> {
  const found = await Promise.all(codes.map(async (code) => [code, await seen(make(code), step)]))
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(codes.map((code) => [code, expected(code)])),
  )
}

describe('every code has a reason, a class and an effect at the gate of its host', () => {
  test(`${SYSTEM_CODES.length} codes of the system, on a dial`, async () => {
    expect(SYSTEM_CODES.length).toBeGreaterThan(100)
    await expectAll(
      SYSTEM_CODES,
      { step: 'tcp', make: (code) => fromError(errorOf(code), false) },
      (code) => DIAL[code] ?? UNKNOWN,
    )
  })

  test(`${SYSTEM_CODES.length + RESOLVER_CODES.length} codes of the system and of c-ares, on a lookup`, async () => {
    expect(RESOLVER_CODES.length).toBeGreaterThanOrEqual(24)
    await expectAll(
      [...SYSTEM_CODES, ...RESOLVER_CODES],
      {
        step: 'lookup',
        make: (code) => fromLookup(errorOf(code, `getaddrinfo ${code} broker.example`)),
      },
      (code) => LOOKUP[code] ?? TEMPORARY,
    )
  })

  test(`${Object.keys(VERDICTS).length} verdicts about a certificate, ${Object.keys(NODE_TLS).length} errors of Node`, async () => {
    await expectAll(
      [...Object.keys(VERDICTS), ...Object.keys(NODE_TLS)],
      { step: 'tls', make: (code) => fromError(errorOf(code), false) },
      (code) => VERDICTS[code] ?? NODE_TLS[code] ?? UNKNOWN,
    )
  })

  test.each([
    [
      'as a code',
      (words: string, name: string) =>
        errorOf(name, `40F:error:0A000001:SSL routines:f:${words}:x.c:1:\n`),
    ],
    [
      'quoted by EPROTO, as Node reports it when data was written before the handshake',
      (words: string) =>
        errorOf('EPROTO', `write EPROTO 40F:error:0A000001:SSL routines:f:${words}:x.c:1:\n`),
    ],
  ])(`${OPENSSL_REASONS.length} errors of OpenSSL, %s`, async (_how, make) => {
    const nameOf = (words: string): string => `ERR_SSL_${words.toUpperCase().replaceAll(' ', '_')}`
    await expectAll(
      OPENSSL_REASONS,
      { step: 'tls', make: (words) => fromError(make(words, nameOf(words)), false) },
      (words) => OPENSSL[words] ?? HANDSHAKE,
    )
    expect(Object.keys(OPENSSL).filter((words) => !OPENSSL_REASONS.includes(words))).toEqual([])
  })

  test('the alerts that this very runtime knows are among them', () => {
    const alerts = new Set<string>()
    const binary = readFileSync(process.execPath)
    for (let at = 0; (at = binary.indexOf(' alert ', at + 1)) >= 0;) {
      const text = binary.toString('latin1', at - 7, at + 40)
      const words = /(?:ssl\/tls|sslv3|tlsv13|tlsv1) alert [a-z ]+(?=\0)/.exec(text)?.[0]
      if (words !== undefined) alerts.add(words)
    }
    expect([...alerts].filter((words) => !OPENSSL_REASONS.includes(words))).toEqual([])
  })

  test('a key that is too weak has no code of its own in Node', async () => {
    const weak = [
      'EE certificate key too weak',
      'CA certificate key too weak',
      'CA signature digest algorithm too weak',
    ]
    await expectAll(
      weak,
      { step: 'tls', make: (message) => fromError(errorOf('UNSPECIFIED', message), false) },
      () => WEAK,
    )
  })

  test('errors of HTTP and of frames come from a parser', () => {
    for (const code of [
      'HPE_INVALID_CONSTANT',
      'WS_ERR_INVALID_OPCODE',
      'WS_ERR_UNEXPECTED_RSV_1',
    ]) {
      expect(fromError(errorOf(code), false).reason).toBe('not_mqtt')
      expect(fromError(errorOf(code), true).reason).toBe('protocol_error')
    }
  })
})

test('a code that no table lists is temporary, and the detail has it', () => {
  for (const error of [
    errorOf('EBRANDNEW', 'no luck'),
    new Error('no luck'),
    'no luck',
    undefined,
  ]) {
    const failure = fromError(error, false)
    expect(failure.reason).toBe('network_error')
    expect(failure.detail).not.toBeNull()
  }
  expect(fromError(errorOf('EBRANDNEW', 'no luck'), true).detail).toBe('no luck (EBRANDNEW)')
  expect(fromLookup(errorOf('EBRANDNEW')).reason).toBe('dns_temporary')
})

test('only an error of a parser is not_mqtt, and only before the broker has accepted the connection', () => {
  const garbage = new Error('Invalid header flag bits, must be 0x0 for connack packet')
  expect(fromClient(garbage, false)).toMatchObject({ reason: 'not_mqtt', detail: garbage.message })
  expect(fromClient(garbage, true).reason).toBe('protocol_error')
  const everything = [...SYSTEM_CODES, ...RESOLVER_CODES, ...Object.keys(VERDICTS)]
  const reasons = everything.map((code) => fromError(errorOf(code), false).reason)
  expect(reasons).not.toContain('not_mqtt')
})

test.each<readonly [status: number, ...Expected]>([
  ...[401].map((status) => [status, 'bad_credentials', 'permanent', 'reached'] as const),
  ...[403].map((status) => [status, 'not_authorized', 'permanent', 'reached'] as const),
  ...[429].map((status) => [status, 'rate_exceeded', 'slow', 'doubts'] as const),
  ...[408, 425, 500, 501, 502, 503, 504, 505, 511, 520, 521, 522, 523, 524, 530].map(
    (status) => [status, 'server_unavailable', 'transient', 'doubts'] as const,
  ),
  ...[200, 204, 301, 302, 307, 308, 400, 402, 404, 405, 407, 410, 421, 426, 451].map(
    (status) => [status, 'websocket_refused', 'slow', 'doubts'] as const,
  ),
])('an answer of %i to a WebSocket is %s, %s, %s', async (status, ...expected) => {
  const failure = fromError(new Error(`Unexpected server response: ${status}`), false)
  expect(await seen(failure, 'websocket')).toEqual(expected)
  expect(failure.detail).toContain(String(status))
})

test.each([
  'Invalid Upgrade header',
  'Invalid Sec-WebSocket-Accept header',
  'Server sent no subprotocol',
  'Server sent an invalid subprotocol',
])('a web server whose answer opens no WebSocket refuses it: %s', (message) => {
  expect(fromError(new Error(message), false).reason).toBe('websocket_refused')
})

test.each<readonly [name: string, error: unknown, expected: Expected]>([
  ['a URL that is none', new SyntaxError('Invalid URL'), IMPOSSIBLE],
  ['a port that is none', errorOf('ERR_SOCKET_BAD_PORT'), IMPOSSIBLE],
  ['a key that fits no certificate', errorOf('ERR_OSSL_X509_KEY_VALUES_MISMATCH'), IMPOSSIBLE],
  ['a certificate with a small key', errorOf('ERR_SSL_EE_KEY_TOO_SMALL'), IMPOSSIBLE],
  ['an argument', errorOf('ERR_INVALID_ARG_VALUE'), IMPOSSIBLE],
  ['no memory in OpenSSL', errorOf('ERR_SSL_MALLOC_FAILURE', 'malloc failure'), RESOURCES],
  ['no file descriptor', errorOf('EMFILE'), RESOURCES],
  ['anything else', new Error('out of luck'), UNKNOWN],
])('an error that Node throws before a dial: %s', async (_name, error, expected) => {
  expect(await seen(fromThrown(error), 'tcp')).toEqual(expected)
})
