/** Registers `<mqtt-status-provider>`. Safe where there is no document. */
import { MqttStatusProvider } from '../elements/provider/provider.ts'

MqttStatusProvider.define()

export { MqttStatusProvider }
export type * from '../index.ts'
