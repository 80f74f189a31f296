export { WORDS as ATTRIBUTE_WORDS } from './attributes/words.ts'
export type { HeadingLevel, Word, WordAttribute, WordProperty } from './attributes/words.ts'
export type {
  Action,
  Auth,
  Capability,
  ClientMessage,
  Connection,
  Desired,
  DeviceState,
  Hello,
  Look,
  ProblemCode,
  Reason,
  Status,
  Summary,
  Timestamp,
  Unwatch,
  WatchFilter,
  WatchMessage,
} from '@mqtt-status/protocol'
export { clientFor, createClient, StatusClient } from './client/index.ts'
export type {
  ClientSettings,
  ClientSurroundings,
  ConnectionHandle,
  ConnectionView,
  Link,
  LinkCause,
  LinkState,
  OpenTransport,
  Outcome,
  Pending,
  Refusal,
  TokenAnswer,
  TokenGiven,
  TokenSettings,
  Transport,
  TransportListener,
  TransportName,
} from './client/index.ts'
export { MqttStatusBadge } from './elements/badge/badge.ts'
export { MqttStatusCard } from './elements/card/card.ts'
export { MqttStatusControl } from './elements/control/control.ts'
export {
  MqttStatusChangeEvent,
  MqttStatusCommandEndEvent,
  MqttStatusCommandEvent,
  MqttStatusErrorEvent,
  MqttStatusLinkEvent,
  MqttStatusReadyEvent,
} from './events.ts'
export type {
  ChangeDetail,
  CommandDetail,
  CommandEndDetail,
  ErrorDetail,
  LinkDetail,
  MqttStatusEventMap,
} from './events.ts'
export { MqttStatusLive } from './elements/live/live.ts'
export { registerLocale } from './locales/registry.ts'
export type { SomeStrings, Strings } from './locales/registry.ts'
export type {
  ActionWords,
  Counted,
  FailureCode,
  Locale,
  NamedLink,
  Unit,
} from './locales/locale.ts'
export { MqttStatusProvider } from './elements/provider/provider.ts'
