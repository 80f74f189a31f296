/** Types the elements in templates of Svelte 5: `import type {} from '@mqtt-status/widgets/svelte'`, once. */
import type { HTMLAttributes } from 'svelte/elements'
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

declare module 'svelte/elements' {
  interface SvelteHTMLElements extends MqttStatusElements {}
}

export {}
