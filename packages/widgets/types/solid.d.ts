/** Types the elements in JSX of Solid: `import type {} from '@mqtt-status/widgets/solid'`, once. */
import type { JSX } from 'solid-js'
import type { MqttStatusEventMap } from '@mqtt-status/widgets'
import type { MqttStatusAttributes, MqttStatusProperties } from './elements.d.ts'

/** Solid subscribes to the exact name of an event only behind `on:`. */
type Listeners<Element> = {
  [Type in keyof MqttStatusEventMap as `on:${Type}`]?: JSX.EventHandlerWithOptionsUnion<
    Element,
    MqttStatusEventMap[Type]
  >
}

/** `prop:client` says what Solid does anyway: it sets the property and not the attribute. */
type Named<Properties> = {
  [Name in keyof Properties as `prop:${Name & string}`]?: Properties[Name]
}

type MqttStatusElements = {
  [Tag in keyof MqttStatusAttributes]: MqttStatusAttributes[Tag] &
    MqttStatusProperties[Tag] &
    Named<MqttStatusProperties[Tag]> &
    Listeners<HTMLElementTagNameMap[Tag]> &
    JSX.HTMLAttributes<HTMLElementTagNameMap[Tag]>
}

declare module 'solid-js' {
  namespace JSX {
    interface IntrinsicElements extends MqttStatusElements {}
  }
}

export {}
