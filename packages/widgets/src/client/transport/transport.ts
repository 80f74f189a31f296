import type { ClientMessage } from '@mqtt-status/protocol'

/** What a transport tells; what it says after its `close` was called is not listened to. */
export interface TransportListener {
  readonly onOpen: () => void
  readonly onMessage: (text: string) => void
  /** The close code of the server, or 1006 when the line just broke. */
  readonly onClose: (code: number) => void
}

/** One attempt on one transport. */
export interface Transport {
  /** @returns whether it could be sent; nothing is ever queued */
  send(message: ClientMessage): boolean
  close(): void
}

export type OpenTransport = (src: string, listener: TransportListener) => Transport
