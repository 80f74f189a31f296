export type {
  Action,
  Auth,
  Capability,
  ClientMessage,
  Connection,
  Desired,
  DeviceState,
  Hello,
  Reason,
  Status,
  Summary,
  Timestamp,
  Unwatch,
  WatchFilter,
  WatchMessage,
} from '@mqtt-status/protocol'
export { createClient, StatusClient } from './client.ts'
export type { ClientSettings, ClientSurroundings } from './client.ts'
export type { ConnectionHandle, ConnectionView } from './connection-view.ts'
export type { Outcome } from './commands.ts'
export type { LinkCause, LinkState } from './link/failures.ts'
export type { Link } from './link/link-view.ts'
export type { Pending } from './pending.ts'
export { clientFor } from './registry.ts'
export type { TokenAnswer, TokenGiven, TokenSettings } from './token/token-settings.ts'
export type { OpenTransport, Transport, TransportListener } from './transport/transport.ts'
export type { Refusal } from './watch-set.ts'
export type { TransportName } from './transport/settings.ts'
