/**
 * Opens the stream of one dial over an open TCP connection: TCP itself, TLS, or a WebSocket over either. The server uses the host
 * name for the `Host` header and the certificate only; it follows no redirect and uses no proxy.
 */
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'
import type { Step } from '../reasons/attribution.ts'
import type { DialSettings } from './dial-settings.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000
/** A WebSocket message may contain several MQTT packets. */
const MAX_MESSAGE_BYTES = 1024 * 1024

/**
 * @param socket connected to an address that the dial guard has checked
 * @param onStep called with the step that the dial waits for next
 * @throws if Node rejects a certificate, a key or a name only when it uses it
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
    // Node compares the certificate with `host` where it sends no server name.
    host,
    minVersion: 'TLSv1.2',
    // The default follows NODE_TLS_REJECT_UNAUTHORIZED, which would accept any certificate of any broker.
    rejectUnauthorized: true,
    ...(servername === undefined ? {} : { servername }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  })
  noteBeginning(secure)
  return secure
}

/** Adds `validFrom` to the error for a certificate that is not valid yet. */
function noteBeginning(socket: TLSSocket): void {
  let chain: DetailedPeerCertificate | undefined
  // Node verifies the chain at this event and drops it afterwards. `getPeerX509Certificate` is no alternative: a call to it leaves
  // the verification without the names of the certificate.
  socket.prependOnceListener('secure', () => {
    chain = socket.getPeerCertificate(true)
  })
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'CERT_NOT_YET_VALID' || chain === undefined) return
    Object.assign(error, { validFrom: new Date(beginning(chain)) })
  })
}

/** @returns the time from which on all certificates of a chain are valid, in ms. The last one of the chain is self-signed. */
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

/** Removes the brackets of an IPv6 address. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
