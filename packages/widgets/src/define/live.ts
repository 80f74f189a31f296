/** Registers `<mqtt-status-live>`. Safe where there is no document. */
import { MqttStatusLive } from '../elements/live/live.ts'

MqttStatusLive.define()

export { MqttStatusLive }
export type * from '../index.ts'
