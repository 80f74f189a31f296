/** Registers `<mqtt-status-control>`. Safe where there is no document. */
import { MqttStatusControl } from '../elements/control/control.ts'

MqttStatusControl.define()

export { MqttStatusControl }
export type * from '../index.ts'
