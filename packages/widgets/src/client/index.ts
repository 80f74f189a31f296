export { createClient, StatusClient } from './client.ts'
export type {
  ClientSettings,
  ClientSurroundings,
  ConnectionHandle,
  ConnectionView,
} from './client.ts'
export type { Outcome } from './commands.ts'
export type { Link } from './link.ts'
export type { LinkState } from './link-state.ts'
export type { Pending } from './pending.ts'
export { clientFor } from './registry.ts'
export type { TokenSettings } from './tokens.ts'
export type { OpenTransport, Transport, TransportListener } from './transport.ts'
