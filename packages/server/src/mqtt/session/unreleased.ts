/**
 * QoS 2 messages that the broker has sent and not released with PUBREL. MQTT.js keeps the whole messages until then, of which a
 * broker may send 65,535; here it keeps their identifiers (MQTT 5, 4.3.3, method B), and the session delivers a message when it arrives.
 */
import { Readable } from 'node:stream'

interface Released {
  readonly cmd: 'publish'
  readonly topic: string
  readonly payload: string
  readonly qos: 2
  readonly dup: boolean
  readonly retain: boolean
  readonly messageId: number
}

type Callback = (error?: Error, packet?: Released) => void

/** Takes the place of the `incomingStore` of MQTT.js. */
export class Unreleased {
  readonly #ids = new Set<number>()
  readonly #most: number

  /** @param most messages at the same time: the Receive Maximum (MQTT 5, 3.1.2.11.3) */
  constructor(most: number) {
    this.#most = most
  }

  /** @returns `known` if the broker has sent the message before, `full` if it may not send one more */
  add(id: number): 'new' | 'known' | 'full' {
    if (this.#ids.has(id)) return 'known'
    if (this.#ids.size >= this.#most) return 'full'
    this.#ids.add(id)
    return 'new'
  }

  put(_packet: unknown, callback: () => void): this {
    callback()
    return this
  }

  get({ messageId = 0 }: { readonly messageId?: number }, callback: Callback): this {
    if (!this.#ids.has(messageId)) callback(new Error('no such message'))
    else {
      const about = { topic: '', payload: '', dup: false, retain: false } as const
      callback(undefined, { cmd: 'publish', qos: 2, ...about, messageId })
    }
    return this
  }

  del({ messageId = 0 }: { readonly messageId?: number }, callback: Callback): this {
    this.#ids.delete(messageId)
    callback()
    return this
  }

  createStream(): Readable {
    return Readable.from([])
  }

  close(callback: () => void): void {
    this.#ids.clear()
    callback()
  }
}
