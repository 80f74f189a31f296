export type {
  Action,
  Capability,
  Connection,
  DeviceState,
  Status,
  Timestamp,
} from '@mqtt-status/protocol'
export { clientFor, createClient, StatusClient } from './client/index.ts'
export type { ConnectionView, Link, LinkState, Outcome, Pending } from './client/index.ts'
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
} from './elements/events.ts'
export type { MqttStatusEventMap } from './elements/events.ts'
export { MqttStatusLive } from './elements/live/live.ts'
export { registerLocale } from './locales/registry.ts'
export type { Strings } from './locales/registry.ts'
export type { Locale } from './locales/locale.ts'
export { MqttStatusProvider } from './elements/provider/provider.ts'
