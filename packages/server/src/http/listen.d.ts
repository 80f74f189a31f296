import type { HttpContext, Patience } from './context.ts'
export type { Portal } from './context.ts'
export interface ListenOptions extends Omit<HttpContext, 'patience'> {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  readonly patience?: Partial<Patience>
}
export interface Listening {
  /** Where it is reached from this machine; ends with the base path, without its slash. */
  readonly url: string
  readonly port: number
  /** Open sockets and streams. */
  readonly streams: number
  /** Says goodbye to everyone and lets go of the port, within this time. */
  drain(withinMs: number): Promise<void>
}
/**
 * One port for HTTP, WebSocket and SSE.
 *
 * @throws SetupError when the port can't be had
 */
export declare function listen({ host, port, ...options }: ListenOptions): Promise<Listening>
