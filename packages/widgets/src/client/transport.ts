import type { ClientMessage } from '@mqtt-status/protocol'

/** What a transport tells; nothing more after `onClose`, and nothing at all after its `close` was called. */
export interface TransportListener {
  readonly onOpen: () => void
  readonly onMessage: (text: string) => void
  /** The close code of the server, or 1006 when the line just broke. */
  readonly onClose: (code: number) => void
}

/** One attempt on one wire. */
export interface Transport {
  /** @returns whether it could be sent; nothing is ever queued */
  send(message: ClientMessage): boolean
  close(): void
}

export type OpenTransport = (src: string, listener: TransportListener) => Transport
