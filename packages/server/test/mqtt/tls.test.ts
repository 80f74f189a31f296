/** What real TLS servers do wrong, or refuse: one reason each, over MQTT and over WebSockets. */
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { createServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { Authority } from '@mqtt-status/testing/certificates'
import type { Certificate } from '@mqtt-status/testing/certificates'
import { OpensslServer } from '@mqtt-status/testing/openssl-server'
import { ScriptedBroker, WILLING } from '@mqtt-status/testing/scripted-broker'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { CALM, kept, probeOf, world } from './stage.ts'
import { NOTHING } from './world.ts'

const HOUR_MS = 3_600_000
const ALLOW = { cidrs: ['127.0.0.0/8'], hosts: [], ports: [[1, 65_535] as const] }

let authority: Authority
let good: Certificate

beforeAll(async () => {
  authority = await Authority.create()
  good = await authority.sign()
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

interface Listening {
  readonly port: number
  /** TCP connections so far. */
  readonly dials: () => number
  stop(): Promise<void>
}

interface Listener {
  on(event: 'connection', listener: (socket: Socket) => void): unknown
  on(event: 'tlsClientError', listener: () => void): unknown
  listen(port: number, host: string, listening: () => void): unknown
  address(): unknown
  close(closed: () => void): unknown
}

async function listen(server: Listener): Promise<Listening> {
  const sockets = new Set<Socket>()
  let dials = 0
  server.on('tlsClientError', () => undefined)
  server.on('connection', (socket: Socket) => {
    dials++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    dials: () => dials,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}

/** A TLS server that sends no MQTT: none of these dials gets so far. */
function serve(options: TlsOptions): Promise<Listening> {
  return listen(createServer(options, (socket) => socket.on('error', () => undefined).resume()))
}

/** Answers any bytes with one fatal alert, in plain text, as before the handshake. */
function alert(code: number): Promise<Listening> {
  return listen(
    createTcpServer((socket) => {
      socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, code])))
    }),
  )
}

interface Fault {
  readonly serve: () => Promise<{ readonly port: number; stop(): Promise<void> }>
  readonly tls?: () => object | Promise<object>
  readonly reason: string
  readonly detail?: RegExp
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'speaks TLS 1.0 only': {
    serve: () =>
      serve({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    reason: 'tls_version',
    detail: /protocol version/,
  },
  'has a key of 1,024 bits': {
    serve: async () => serve({ ...(await authority.sign({ weak: true })), ciphers: WEAK_CIPHERS }),
    reason: 'tls_weak',
  },
  'has a certificate that begins tomorrow': {
    serve: async () =>
      serve(await authority.sign({ notBefore: new Date(Date.now() + 12 * HOUR_MS) })),
    reason: 'tls_not_yet_valid',
    detail: /valid from 20\d\d-/,
  },
  'has a certificate that has expired': {
    serve: async () => serve(await authority.sign({ notAfter: new Date(Date.now() - HOUR_MS) })),
    reason: 'tls_expired',
  },
  'has a certificate for another name': {
    serve: async () => serve(await authority.sign({ names: ['other.example'] })),
    reason: 'tls_hostname',
  },
  'has a certificate of a stranger': {
    serve: async () => serve(await (await Authority.create('A stranger')).sign()),
    reason: 'tls_untrusted',
  },
  'has more authorities between than its own allows': {
    serve: async () => {
      const root = await Authority.create('Short', { pathLength: 0 })
      const between = await root.delegate('Too many')
      const { cert, key } = await between.sign()
      short = root
      return serve({ cert: `${cert}\n${between.cert}`, key })
    },
    tls: () => ({ ca: short?.cert }),
    reason: 'tls_untrusted',
    detail: /path length/,
  },
  'does not serve the name': {
    serve: () =>
      OpensslServer.start([
        ...['-cert', good.cert, '-key', good.key, '-cert2', good.cert, '-key2', good.key],
        ...['-servername', 'other.example', '-servername_fatal'],
      ]),
    reason: 'tls_unknown_name',
  },
  'finds the client certificate revoked': {
    serve: async () =>
      OpensslServer.start([
        ...['-cert', good.cert, '-key', good.key, '-Verify', '1', '-verify_return_error'],
        ...['-CAfile', authority.cert, '-crl_check', '-CRL', await revoked()],
      ]),
    tls: () => ({ cert: mine?.cert, key: mine?.key }),
    reason: 'tls_client_cert',
    detail: /certificate revoked/,
  },
  'demands a client certificate, in TLS 1.3': {
    serve: () => serve({ ...good, requestCert: true, rejectUnauthorized: true }),
    reason: 'tls_client_cert',
  },
  'demands a client certificate, in TLS 1.2': {
    serve: () =>
      serve({ ...good, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' }),
    reason: 'tls_handshake',
    detail: /handshake failure.*may demand a client certificate/,
  },
  'has no certificate at all': {
    serve: () => serve({}),
    reason: 'tls_handshake',
    detail: /handshake failure/,
  },
  'has an internal error': { serve: () => alert(80), reason: 'tls_handshake', detail: /internal/ },
  'sends an alert that no list knows': { serve: () => alert(199), reason: 'tls_handshake' },
  'speaks plain text': {
    serve: () => listen(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'))),
    reason: 'connection_reset',
    detail: /mixed up/,
  },
  'closes at once': {
    serve: () => listen(createTcpServer((socket) => socket.end())),
    reason: 'connection_reset',
    detail: /mixed up/,
  },
}

const WEAK_CIPHERS = 'DEFAULT@SECLEVEL=0'
let short: Authority | null = null
let mine: Certificate | null = null

async function revoked(): Promise<string> {
  mine = await authority.sign({ names: ['portal'] })
  authority.revoke(mine)
  return authority.revocations()
}

test.each(
  Object.keys(FAULTS).flatMap((name) => [[name, 'mqtts'] as const, [name, 'wss'] as const]),
)('a broker that %s, over %s', async (name, protocol) => {
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`There is no fault "${name}"`)
  const { port } = kept(await fault.serve())
  const tls = { ca: authority.cert, servername: 'localhost', ...(await fault.tls?.()) }
  const dial = { protocol, port, tls, topics: null }
  const it = world({ timing: CALM })
  it.add('a', dial)
  await it.status('a', 'reconnecting', fault.reason)
  if (fault.detail !== undefined) expect(it.writes.at(-1)?.detail).toMatch(fault.detail)
  // A test of the same settings has the same reason.
  const probe = probeOf({ allow: ALLOW })
  expect(await probe.run({ stored: { ...NOTHING, ...dial }, site: 's1' })).toMatchObject({
    ok: false,
    reason: fault.reason,
  })
})

test('an environment that trusts every certificate does not make the server trust one', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  vi.spyOn(process, 'emitWarning').mockReturnValue()
  const stranger = await (await Authority.create('A stranger')).sign()
  const { port } = kept(await serve(stranger))
  const it = world({ timing: CALM })
  it.add('a', { protocol: 'mqtts', port, tls: { servername: 'localhost' }, topics: null })
  await it.status('a', 'reconnecting', 'tls_untrusted')
})

test('the server dials a broker whose certificate is not valid yet again when it is, and not before', async () => {
  const broker = kept(await ScriptedBroker.start(WILLING))
  // Certificates know whole seconds only.
  const begins = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000)
  const late = await authority.sign({ notBefore: begins })
  const front = kept(
    await listen(
      createServer(late, (socket) => {
        const upstream = connect(broker.port, '127.0.0.1').on('error', () => undefined)
        socket.on('error', () => undefined)
        socket.pipe(upstream).pipe(socket)
        socket.once('close', () => upstream.destroy())
      }),
    ),
  )
  const it = world({ timing: { ...CALM, transient: { baseMs: 100, capMs: 60_000 } } })
  it.add('a', {
    protocol: 'mqtts',
    port: front.port,
    tls: { ca: authority.cert, servername: 'localhost' },
  })
  await it.status('a', 'reconnecting', 'tls_not_yet_valid')
  expect(it.writes.at(-1)?.detail).toContain(begins.toISOString())
  expect(front.dials()).toBe(1)
  await it.status('a', 'connected')
  expect(Date.now()).toBeGreaterThanOrEqual(begins.getTime())
  expect(front.dials()).toBe(2)
})

test('the certificate of a chain that becomes valid last decides', async () => {
  const begins = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + HOUR_MS)
  const between = await authority.delegate('Not yet', { notBefore: begins })
  const { cert, key } = await between.sign()
  const server = kept(await serve({ cert: `${cert}\n${between.cert}`, key }))
  const it = world({ timing: CALM })
  it.add('a', {
    protocol: 'mqtts',
    port: server.port,
    tls: { ca: authority.cert, servername: 'localhost' },
  })
  await it.status('a', 'reconnecting', 'tls_not_yet_valid')
  expect(it.writes.at(-1)?.detail).toContain(begins.toISOString())
})
