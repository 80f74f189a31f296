/** Types the elements in JSX of Preact: `import type {} from '@mqtt-status/widgets/preact'`, once. */
import type { HTMLAttributes } from 'preact'
import type {
  MqttStatusAttributes,
  MqttStatusListeners,
  MqttStatusProperties,
} from './elements.d.ts'

type MqttStatusElements = {
  [Tag in keyof MqttStatusAttributes]: MqttStatusAttributes[Tag] &
    MqttStatusProperties[Tag] &
    MqttStatusListeners &
    HTMLAttributes<HTMLElementTagNameMap[Tag]>
}

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements extends MqttStatusElements {}
  }
}

export {}
