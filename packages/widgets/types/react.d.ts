/** Types the elements in JSX of React 19: `import type {} from '@mqtt-status/widgets/react'`, once. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react'
import type {
  MqttStatusAttributes,
  MqttStatusListeners,
  MqttStatusProperties,
} from './elements.d.ts'

type MqttStatusElements = {
  [Tag in keyof MqttStatusAttributes]: MqttStatusAttributes[Tag] &
    MqttStatusProperties[Tag] &
    MqttStatusListeners & { class?: string } & DetailedHTMLProps<
      HTMLAttributes<HTMLElementTagNameMap[Tag]>,
      HTMLElementTagNameMap[Tag]
    >
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements extends MqttStatusElements {}
  }
}

export {}
