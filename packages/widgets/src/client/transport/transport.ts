import type { ClientMessage } from '@mqtt-status/protocol'

/** The events of a transport. The link ignores those that come after it has closed the transport. */
export interface TransportListener {
  readonly onOpen: () => void
  readonly onMessage: (text: string) => void
  /** The close code of the server, or 1006 when the network broke. */
  readonly onClose: (code: number) => void
}

/** One attempt over a WebSocket, a stream or polling. */
export interface Transport {
  /** @returns whether the message was sent; a transport queues nothing */
  send(message: ClientMessage): boolean
  close(): void
}

export type OpenTransport = (src: string, listener: TransportListener) => Transport
