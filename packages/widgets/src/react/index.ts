/** One React component for each element. Bundlers drop the components that a page does not import, with their elements. */
import {
  MqttStatusBadge as Badge,
  MqttStatusCard as Card,
  MqttStatusControl as Control,
  MqttStatusLive as Live,
  MqttStatusProvider as Provider,
} from '@mqtt-status/widgets'
import type * as declared from '../../types/react.d.ts'
import { component } from './component.ts'

export const MqttStatusBadge: typeof declared.MqttStatusBadge = /* @__PURE__ */ component(Badge)
export const MqttStatusCard: typeof declared.MqttStatusCard = /* @__PURE__ */ component(Card)
export const MqttStatusControl: typeof declared.MqttStatusControl =
  /* @__PURE__ */ component(Control)
export const MqttStatusLive: typeof declared.MqttStatusLive = /* @__PURE__ */ component(Live)
export const MqttStatusProvider: typeof declared.MqttStatusProvider =
  /* @__PURE__ */ component(Provider)
