export { appearance, isPending } from './appearance.ts'
export type { Appearance, Look, Seen, Tone } from './appearance.ts'
export { fullJitter } from './backoff.ts'
export type { Backoff } from './backoff.ts'
export { CLOSE_CODES, isRefusal, LOST } from './close-codes.ts'
export type { CloseCode, CloseName } from './close-codes.ts'
export { ACTIONS, CAPABILITIES, DESIRED, DEVICE_STATES, STATUSES } from './connection.ts'
export type {
  Action,
  Capability,
  Connection,
  Desired,
  DeviceState,
  Status,
  Timestamp,
} from './connection.ts'
export { formatCursor, parseCursor } from './cursor.ts'
export type { Cursor } from './cursor.ts'
export { SUBPROTOCOL } from './messages.ts'
export type {
  Auth,
  Bye,
  ClientMessage,
  CommandAccepted,
  ErrorMessage,
  Expiring,
  FeedMessage,
  Hello,
  Patch,
  Ping,
  Pong,
  Removed,
  ServerMessage,
  Snapshot,
  Summary,
  Unwatch,
  WatchFilter,
  WatchMessage,
  Welcome,
} from './messages.ts'
export { PROBLEMS } from './problem.ts'
export type { FieldError, Problem, ProblemCode } from './problem.ts'
export { REASONS } from './reasons.ts'
export type { Reason, ReasonClass } from './reasons.ts'
export { COMMAND_TIMEOUT_MS, HEARTBEAT_MS, RECONNECT_GRACE_MS } from './timing.ts'
