/**
 * The wire of one dial: TCP, TLS, or a WebSocket over either. It always leads to the address that was checked; the host
 * name is only said (to a web server) and compared (with a certificate). No redirect and no proxy leads elsewhere.
 */
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'
import type { Step } from './attribution.ts'
import type { DialSettings } from './settings.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** Several packets may share a message. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/**
 * @param onStep what is waited for next
 * @throws where a certificate, a key or a name is impossible in a way that only shows when it is used
 */
export function openStream(
  settings: DialSettings,
  address: string,
  onStep: (step: Step) => void,
): Duplex {
  switch (settings.protocol) {
    case 'mqtt':
    case 'mqtts':
      return openSocket(settings, address, (step) => {
        onStep(step ?? 'connack')
      })
    case 'ws':
    case 'wss':
      return openWebSocket(settings, address, onStep)
  }
}

/** @param onStep what is waited for next; `null`: the wire is open */
function openSocket(
  settings: DialSettings,
  address: string,
  onStep: (step: Step | null) => void,
): Socket {
  const { protocol, port, tls } = settings
  if (protocol === 'mqtt' || protocol === 'ws')
    return connectTcp({ host: address, port, noDelay: true }).once('connect', () => {
      onStep(null)
    })
  const host = bare(settings.host)
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
  const socket = connectTls({
    host: address,
    port,
    minVersion: 'TLSv1.2',
    ...(servername === undefined ? {} : { servername }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  })
  noteBeginning(socket)
  socket.once('connect', () => {
    onStep('tls')
  })
  socket.once('secureConnect', () => {
    onStep(null)
  })
  return socket.setNoDelay(true)
}

/** Adds to the error of a certificate that is not valid yet when it will be. */
function noteBeginning(socket: TLSSocket): void {
  let chain: DetailedPeerCertificate | undefined
  // Node verifies at this event, and the certificates are gone after it. Its newer `getPeerX509Certificate` would leave
  // the verification without the names in the certificate.
  socket.prependOnceListener('secure', () => {
    chain = socket.getPeerCertificate(true)
  })
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'CERT_NOT_YET_VALID' || chain === undefined) return
    Object.assign(error, { validFrom: new Date(beginning(chain)) })
  })
}

/** When the last one of a chain begins, in ms; a certificate at its end has signed itself. */
function beginning(chain: DetailedPeerCertificate): number {
  const ownMs = Date.parse(chain.valid_from)
  const issuer = chain.issuerCertificate as DetailedPeerCertificate | undefined
  return issuer === undefined || issuer === chain ? ownMs : Math.max(ownMs, beginning(issuer))
}

function openWebSocket(
  settings: DialSettings,
  address: string,
  onStep: (step: Step) => void,
): Duplex {
  const { protocol, port, path } = settings
  const host = bare(settings.host)
  const url = `${protocol}://${isIP(host) === 6 ? `[${host}]` : host}:${port}${path}`
  const socket = new WebSocket(url, 'mqtt', {
    createConnection: () =>
      openSocket(settings, address, (step) => {
        onStep(step ?? 'websocket')
      }),
    followRedirects: false,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  socket.once('open', () => {
    onStep('connack')
  })
  return createWebSocketStream(socket)
}

/** An IPv6 address may be written in brackets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
