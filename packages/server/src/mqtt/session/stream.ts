/**
 * The wire of one dial over an open TCP connection: TCP itself, TLS, or a WebSocket over either. The host name is only
 * sent to a web server and compared with a certificate. No redirect and no proxy leads elsewhere.
 */
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'
import type { Step } from '../reasons/attribution.ts'
import type { DialSettings } from './settings.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** Several packets may share a message. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/**
 * @param socket connected to an address that was checked
 * @param onStep what is waited for next
 * @throws where a certificate, a key or a name is impossible in a way that only shows when it is used
 */
export function openStream(
  settings: DialSettings,
  socket: Socket,
  onStep: (step: Step) => void,
): Duplex {
  switch (settings.protocol) {
    case 'mqtt':
      onStep('connack')
      return socket
    case 'mqtts':
      onStep('tls')
      return encrypt(settings, socket).once('secureConnect', () => {
        onStep('connack')
      })
    case 'ws':
      onStep('websocket')
      return openWebSocket(settings, () => socket, onStep)
    case 'wss':
      onStep('tls')
      return openWebSocket(
        settings,
        () =>
          encrypt(settings, socket).once('secureConnect', () => {
            onStep('websocket')
          }),
        onStep,
      )
  }
}

function encrypt(settings: DialSettings, socket: Socket): TLSSocket {
  const { tls } = settings
  const host = bare(settings.host)
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
  const secure = connectTls({
    socket,
    // What the certificate has to be for, where no name is sent.
    host,
    minVersion: 'TLSv1.2',
    // The default follows NODE_TLS_REJECT_UNAUTHORIZED, which would take all certificates of all brokers on trust.
    rejectUnauthorized: true,
    ...(servername === undefined ? {} : { servername }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  })
  noteBeginning(secure)
  return secure
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
  createConnection: () => Socket,
  onStep: (step: Step) => void,
): Duplex {
  const { protocol, port, path } = settings
  const host = bare(settings.host)
  const url = `${protocol}://${isIP(host) === 6 ? `[${host}]` : host}:${port}${path}`
  const socket = new WebSocket(url, 'mqtt', {
    createConnection,
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
