/** Registers `<mqtt-status-badge>`. Safe where there is no document. */
import { MqttStatusBadge } from '../elements/badge/badge.ts'

MqttStatusBadge.define()

export { MqttStatusBadge }
export type * from '../index.ts'
