/**
 * One dial and, if it succeeds, one MQTT connection. The supervisor schedules retries, so each dial has its own MQTT.js client
 * with retries switched off. The first failure decides the reason; the session ignores all later events.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { MqttClient } from 'mqtt'
import type { IClientOptions, IPublishPacket, IStore, Packet } from 'mqtt'
import { BrokerFault } from '../reasons/broker-fault.ts'
import type { Step } from '../reasons/attribution.ts'
import type { FilterPlan } from './filter-search.ts'
import { withholdPacketDebug } from './packet-debug.ts'
import {
  fromClient,
  fromDisconnect,
  fromError,
  fromSilence,
  fromThrown,
} from '../reasons/classify-failure.ts'
import { clean, withoutSecret } from '../reasons/detail.ts'
import type { Failure } from '../reasons/failure.ts'
import type { DialSettings } from './dial-settings.ts'
import { Inlet, MAX_PACKET_BYTES } from './inlet.ts'
import { openStream } from './stream.ts'
import { deniedAs, unanswered, whileSubscribing } from './subscription-faults.ts'
import type { Denied } from './subscription-faults.ts'
import { TcpRace } from './tcp-race.ts'
import { Unreleased } from './unreleased.ts'

export interface Message {
  readonly topic: string
  readonly payload: Buffer
  /** The broker had stored the message, so it does not show that the device is alive now. */
  readonly retained: boolean
}

export interface SessionListener {
  /** The broker has accepted the client with a CONNACK. */
  readonly onAccepted?: () => void
  /** The broker has answered all subscriptions; `denied` if it refused one. */
  readonly onOpen: (denied: Failure | null) => void
  /**
   * The dial has failed or the connection is lost, while the session waited for `step` and for the SUBACK of the topic filters
   * `asked`. The session calls it once at most, and never after `close`.
   */
  readonly onEnd: (failure: Failure, step: Step, asked: readonly string[]) => void
  /** The session has ended, by either side. Called once. */
  readonly onGone?: () => void
  /** An address has accepted the TCP connection; the `overtaken` addresses had been tried before it and have not. */
  readonly onAddress?: (address: string, overtaken: readonly string[]) => void
  readonly onMessage: (message: Message) => void
}

/** The broker to dial, and the client id to dial with. */
export interface DialTarget {
  readonly settings: DialSettings
  /** At least one address that the dial guard has checked, in the order of the attempts. */
  readonly addresses: readonly string[]
  readonly clientId: string
  readonly plan: FilterPlan
  /** @default 10_000 */
  readonly connectTimeoutMs?: number
}

const CONNECT_TIMEOUT_MS = 10_000
/** `MqttClient.end` would wait without a limit for a peer that does not close. */
const FAREWELL_MS = 2_000
const CHECK_TIMEOUT_MS = 5_000
const RECEIVE_MAXIMUM = 32
/** MQTT 5, 2.4. */
const RECEIVE_MAXIMUM_EXCEEDED = 147

type State = 'racing' | 'dialling' | 'accepted' | 'open' | 'ended'

export class Session {
  readonly #target: DialTarget
  readonly #listener: SessionListener
  readonly #startedAtMs = performance.now()
  #race: TcpRace | null = null
  #client: MqttClient | null = null
  #inlet: Inlet | null = null
  readonly #unreleased = new Unreleased(RECEIVE_MAXIMUM)
  #state: State = 'racing'
  #step: Step = 'tcp'
  #racing: NodeJS.Timeout | null = null
  #subscribing: NodeJS.Timeout | null = null
  /** The topic filters of the SUBSCRIBE that the broker has not answered yet. */
  #asked: readonly string[] = []

  private constructor(target: DialTarget, listener: SessionListener) {
    this.#target = target
    this.#listener = listener
  }

  /** Starts the dial; calls the listener after it has returned, never before. */
  static dial(target: DialTarget, listener: SessionListener): Session {
    const session = new Session(target, listener)
    session.#start()
    return session
  }

  /**
   * Sends a PINGREQ. Without a PINGRESP within 5 s the session ends with `keepalive_timeout`.
   *
   * @returns whether the broker has answered
   */
  async check(): Promise<boolean> {
    const client = this.#client
    if (client === null || this.#state !== 'open') return false
    const answered = await new Promise<boolean>((resolve) => {
      const settle = (answer: boolean): void => {
        clearTimeout(timer)
        client.off('packetreceive', onPacket)
        client.off('close', onClose)
        resolve(answer)
      }
      const onPacket = ({ cmd }: Packet): void => {
        if (cmd === 'pingresp') settle(true)
      }
      const onClose = (): void => {
        settle(false)
      }
      const timer = setTimeout(settle, CHECK_TIMEOUT_MS, false)
      client.on('packetreceive', onPacket)
      client.on('close', onClose)
      client.sendPing()
    })
    if (!answered) this.#end(unanswered('keepalive_timeout', 'The broker did not answer a check.'))
    return answered
  }

  /** Sends a DISCONNECT if the broker has accepted the client, and closes the socket after 2 s at the latest. */
  async close(): Promise<void> {
    const wasUp = this.#wasAccepted
    if (this.#state !== 'ended') this.#listener.onGone?.()
    this.#state = 'ended'
    this.#stopTimers()
    const client = this.#client
    if (client === null) {
      this.#race?.stop()
      return
    }
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

  #start(): void {
    const { addresses, settings } = this.#target
    try {
      this.#race = TcpRace.start(
        { addresses, port: settings.port },
        {
          onConnected: (socket, address, overtaken) => {
            this.#listener.onAddress?.(address, overtaken)
            this.#speak(socket)
          },
          onFailed: (failure) => {
            this.#end(failure)
          },
        },
      )
      this.#racing = setTimeout(() => {
        if (this.#race !== null) this.#end(this.#race.unanswered)
      }, this.#connectTimeoutMs)
    } catch (error) {
      setImmediate(() => {
        this.#end(fromThrown(error))
      })
    }
  }

  /** Starts the MQTT client on the open TCP connection, with what is left of the connect timeout. */
  #speak(socket: Socket): void {
    clearTimeout(this.#racing ?? undefined)
    this.#state = 'dialling'
    withholdPacketDebug()
    let client: MqttClient
    try {
      client = new MqttClient(() => this.#openStream(socket), this.#options())
    } catch (error) {
      socket.destroy()
      this.#end(fromThrown(error))
      return
    }
    this.#client = client
    client.on('error', (error) => {
      this.#end(fromClient(error, this.#wasAccepted))
    })
    client.on('connect', () => {
      this.#accepted(client)
    })
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish' && packet.qos === 2) this.#receive(packet)
    })
    client.on('message', (topic, payload, { qos, retain }) => {
      // A message with QoS 2 was delivered when it arrived; MQTT.js emits it when the broker has released it.
      if (qos !== 2) this.#deliver({ topic, payload, retained: retain })
    })
    client.on('disconnect', ({ reasonCode, properties }) => {
      this.#end(fromDisconnect(reasonCode ?? 0, clean(properties?.reasonString)))
    })
    client.on('close', () => {
      this.#end(fromSilence(this.#wasAccepted))
    })
  }

  #openStream(socket: Socket): Duplex {
    const { settings } = this.#target
    const stream = openStream(settings, socket, (step) => {
      this.#step = step
    })
    this.#inlet = new Inlet(stream, settings.protocolVersion === 5)
    // MQTT.js ignores errors without a code, and the error of a refused WebSocket upgrade has none.
    this.#inlet.on('error', (error) => {
      this.#end(fromError(error, this.#wasAccepted))
    })
    return this.#inlet
  }

  #deliver(message: Message): void {
    if (this.#state !== 'ended') this.#listener.onMessage(message)
  }

  /** The server subscribes with QoS 0, but a broker may raise the QoS of a message. */
  #receive({ topic, payload, retain, messageId = 0 }: IPublishPacket): void {
    const found = this.#unreleased.add(messageId)
    if (found === 'new') this.#deliver({ topic, payload: Buffer.from(payload), retained: retain })
    if (found !== 'full') return
    const detail = `The broker sent more than ${RECEIVE_MAXIMUM} messages with QoS 2 and released none of them.`
    const fault = new BrokerFault(detail, 'protocol_error', RECEIVE_MAXIMUM_EXCEEDED)
    this.#inlet?.destroy(fault)
    this.#end(fromError(fault, this.#wasAccepted))
  }

  #accepted(client: MqttClient): void {
    if (this.#state !== 'dialling') return
    this.#state = 'accepted'
    this.#step = 'suback'
    this.#listener.onAccepted?.()
    this.#subscribe(client, this.#target.plan.portions, [])
  }

  /** Sends one SUBSCRIBE for each portion, the next one after the SUBACK of the last. */
  #subscribe(
    client: MqttClient,
    portions: FilterPlan['portions'],
    denied: readonly Denied[],
  ): void {
    clearTimeout(this.#subscribing ?? undefined)
    const [asked, ...left] = portions
    this.#asked = asked ?? []
    if (asked === undefined) {
      this.#open(deniedAs(denied, this.#target.plan.leftOut))
      return
    }
    this.#subscribing = setTimeout(() => {
      this.#end(unanswered('connect_timeout', 'The broker did not answer the subscription.'))
    }, this.#connectTimeoutMs)
    client.subscribe([...asked], { qos: 0 }, (error, _granted, packet) => {
      if (this.#state !== 'accepted') return
      const codes = (packet as { granted?: readonly number[] } | undefined)?.granted ?? []
      const refused = codes.flatMap((code, i) => (code >= 128 ? [{ filter: asked[i], code }] : []))
      if (error !== null && refused.length === 0) this.#end(fromClient(error, true))
      else this.#subscribe(client, left, [...denied, ...refused])
    })
  }

  #open(denied: Failure | null): void {
    clearTimeout(this.#subscribing ?? undefined)
    this.#state = 'open'
    this.#step = 'up'
    this.#listener.onOpen(denied)
  }

  #end(failure: Failure): void {
    if (this.#state === 'ended') return
    const cause = this.#step === 'suback' ? whileSubscribing(failure, this.#asked) : failure
    this.#state = 'ended'
    this.#stopTimers()
    this.#race?.stop()
    this.#destroy()
    const { password } = this.#target.settings
    this.#listener.onEnd(withoutSecret(cause, password), this.#step, this.#asked)
    this.#listener.onGone?.()
  }

  /** Destroys the stream, because a second `end` of MQTT.js does nothing, and a server that speaks no MQTT leaves the socket open. */
  #destroy(): void {
    const client = this.#client
    if (client === null) return
    this.#client = null
    client.end(true)
    // `stream` is undefined if the stream builder threw.
    ;(client.stream as Duplex | undefined)?.destroy()
  }

  #stopTimers(): void {
    clearTimeout(this.#racing ?? undefined)
    clearTimeout(this.#subscribing ?? undefined)
  }

  /** Whether the broker has sent a CONNACK. */
  get #wasAccepted(): boolean {
    return this.#state === 'accepted' || this.#state === 'open'
  }

  get #connectTimeoutMs(): number {
    return this.#target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
  }

  #options(): IClientOptions {
    const { settings, clientId } = this.#target
    const { protocolVersion, username, password, keepaliveS } = settings
    return {
      protocolVersion,
      clientId,
      keepalive: keepaliveS,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: Math.max(1, this.#startedAtMs + this.#connectTimeoutMs - performance.now()),
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: 'native',
      // The cache would allocate 65,536 buffers at the first packet, which blocks the event loop, and never free them.
      writeCache: false,
      incomingStore: this.#unreleased as unknown as IStore,
      // With DEBUG=mqttjs* MQTT.js would print whole packets, passwords included.
      log: () => undefined,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
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
