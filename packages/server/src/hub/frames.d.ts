import type { ServerMessage } from '@mqtt-status/protocol'
/** A message that is encoded once, for each wire at most once, however many subscribers it goes to. */
export declare class Frame {
  #private
  readonly type: ServerMessage['type']
  readonly json: string
  /** Becomes the `id:` of an SSE event. */
  readonly cursor: string | null
  constructor(type: ServerMessage['type'], json: string, cursor?: string | null)
  static of(message: ServerMessage): Frame
  /** A whole unmasked text frame (RFC 6455, 5.2), ready for the socket. */
  get websocket(): Buffer
  /** A whole event (HTML Standard, 9.2.5). JSON has no line breaks, so one `data:` line is enough. */
  get sse(): Buffer
}
