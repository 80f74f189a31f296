/** Registers every element. Safe where there is no document. */
export { MqttStatusProvider } from './define/provider.ts'
export { MqttStatusCard } from './define/card.ts'
export { MqttStatusBadge } from './define/badge.ts'
export { MqttStatusControl } from './define/control.ts'
export { MqttStatusLive } from './define/live.ts'
export type * from './index.ts'
