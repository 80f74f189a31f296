/** Types the elements in Vue's templates: `import type {} from '@mqtt-status/widgets/vue'`, once. */
import type { HTMLAttributes, PublicProps } from 'vue'
import type { MqttStatusEventMap } from '@mqtt-status/widgets'
import type { MqttStatusAttributes, MqttStatusProperties } from './elements.d.ts'

/** Templates are checked under the names that props have. */
type Camel<Name> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

type Props<Attributes> = { [Name in keyof Attributes as Camel<Name>]: Attributes[Name] }

/** `@mqtt-status-change` is checked as the prop `onMqttStatusChange`. */
type Listeners = {
  [Type in keyof MqttStatusEventMap as Camel<`on-${Type}`>]?: (
    event: MqttStatusEventMap[Type],
  ) => unknown
}

/** An instance is the element, so that a template ref has its methods and properties. */
type MqttStatusComponents = {
  [Tag in keyof MqttStatusAttributes]: new () => HTMLElementTagNameMap[Tag] & {
    $props: Props<MqttStatusAttributes[Tag]> &
      MqttStatusProperties[Tag] &
      Listeners &
      Omit<HTMLAttributes, 'lang'> &
      PublicProps
  }
}

declare module 'vue' {
  interface GlobalComponents extends MqttStatusComponents {}
}

export {}
