/** Registers `<mqtt-status-card>`. Safe where there is no document. */
import { MqttStatusCard } from '../elements/card/card.ts'

MqttStatusCard.define()

export { MqttStatusCard }
export type * from '../index.ts'
