/**
 * One dial and, if it succeeds, one MQTT connection. MQTT.js keeps trying in its own way, so each dial gets a client of
 * its own that never does; whatever happens first decides why it ended, and what comes after is not listened to.
 */
import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { MqttClient } from 'mqtt'
import type { IClientOptions } from 'mqtt'
import { clean, fromCode, fromError, fromSilence } from './reasons.ts'
import type { Failure } from './session-state.ts'
import type { DialSettings } from './settings.ts'

export interface SessionListener {
  /** Accepted and subscribed; `denied` if a topic was refused. */
  readonly onOpen: (denied: Failure | null) => void
  /** It failed, or is lost. Called once at most, and never after `close`. */
  readonly onEnd: (failure: Failure) => void
}

const CONNECT_TIMEOUT_MS = 10_000
/** `end` waits for ever for a peer that is gone. */
const FAREWELL_MS = 2_000
const MAX_PACKET_BYTES = 256 * 1024
const RECEIVE_MAXIMUM = 32

type State = 'dialling' | 'accepted' | 'open' | 'ended'

export class Session {
  readonly #settings: DialSettings
  readonly #listener: SessionListener
  #client: MqttClient | null = null
  #state: State = 'dialling'
  #subscribing: NodeJS.Timeout | null = null

  private constructor(settings: DialSettings, listener: SessionListener) {
    this.#settings = settings
    this.#listener = listener
  }

  /** Dials an address that was checked; the host name is only used to check the certificate. */
  static dial(settings: DialSettings, address: string, listener: SessionListener): Session {
    const session = new Session(settings, listener)
    session.#start(address)
    return session
  }

  /** Says DISCONNECT if it can be said, and has let go of the socket after 2 s at the latest. */
  async close(): Promise<void> {
    const wasUp = this.#state === 'accepted' || this.#state === 'open'
    this.#state = 'ended'
    clearTimeout(this.#subscribing ?? undefined)
    const client = this.#client
    if (client === null) return
    if (wasUp) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FAREWELL_MS)
        client.end(false, {}, () => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    this.#destroy()
  }

  #start(address: string): void {
    let client: MqttClient
    try {
      client = new MqttClient(() => this.#openStream(address), this.#options())
    } catch (error) {
      // A key that does not fit its certificate, for example, throws right here.
      queueMicrotask(() => {
        this.#end({ reason: 'config_invalid', detail: clean(messageOf(error)), code: null })
      })
      return
    }
    this.#client = client
    client.on('error', (error) => {
      this.#end(fromError(error, this.#state !== 'dialling'))
    })
    client.on('connect', () => {
      this.#accepted(client)
    })
    client.on('disconnect', ({ reasonCode, properties }) => {
      this.#end(fromCode(reasonCode ?? 0, clean(properties?.reasonString)))
    })
    client.on('close', () => {
      this.#end(fromSilence(this.#state !== 'dialling'))
    })
  }

  #accepted(client: MqttClient): void {
    if (this.#state !== 'dialling') return
    this.#state = 'accepted'
    const { topics } = this.#settings
    if (topics.length === 0) {
      this.#open(null)
      return
    }
    this.#subscribing = setTimeout(() => {
      this.#end({
        reason: 'connect_timeout',
        detail: 'The broker did not answer the subscription.',
        code: null,
      })
    }, CONNECT_TIMEOUT_MS)
    client.subscribe([...topics], { qos: 0 }, (error, _granted, packet) => {
      if (this.#state !== 'accepted') return
      const codes = (packet as { granted?: readonly number[] } | undefined)?.granted ?? []
      const refused = codes.findIndex((code) => code >= 128)
      if (error === null || refused >= 0)
        this.#open(refused < 0 ? null : denied(topics[refused], codes[refused]))
      else this.#end(fromError(error, true))
    })
  }

  #open(denied: Failure | null): void {
    clearTimeout(this.#subscribing ?? undefined)
    this.#state = 'open'
    this.#listener.onOpen(denied)
  }

  #end(failure: Failure): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    clearTimeout(this.#subscribing ?? undefined)
    this.#destroy()
    this.#listener.onEnd(failure)
  }

  /** A second `end` does nothing, and a server that speaks no MQTT leaves the socket open: it is cut here. */
  #destroy(): void {
    const client = this.#client
    if (client === null) return
    this.#client = null
    client.end(true)
    // Not there yet if the stream builder threw.
    ;(client.stream as Duplex | undefined)?.destroy()
  }

  #openStream(address: string): Duplex {
    const { protocol, host, port, tls } = this.#settings
    if (protocol === 'mqtt') return connectTcp({ host: address, port, noDelay: true })
    const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
    return connectTls({
      host: address,
      port,
      minVersion: 'TLSv1.2',
      ...(servername === undefined ? {} : { servername }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
    })
  }

  #options(): IClientOptions {
    const { protocolVersion, clientId, username, keepaliveS } = this.#settings
    return {
      protocolVersion,
      clientId,
      keepalive: keepaliveS,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: 'native',
      // MQTT.js would print whole packets, and with them passwords, for DEBUG=mqttjs*.
      log: () => undefined,
      ...(username === null ? {} : { username }),
      ...(protocolVersion === 5
        ? {
            properties: {
              sessionExpiryInterval: 0,
              maximumPacketSize: MAX_PACKET_BYTES,
              receiveMaximum: RECEIVE_MAXIMUM,
            },
          }
        : {}),
    }
  }
}

function denied(topic: string | undefined, code: number | undefined): Failure {
  return {
    reason: 'subscription_denied',
    detail: clean(`The broker refused the topic ${topic ?? ''}.`),
    code: code ?? null,
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown failure'
}
