/** Types the elements in Vue's templates: `import type {} from '@mqtt-status/widgets/vue'`, once. */
import type { DefineComponent } from 'vue'
import type { MqttStatusAttributes, MqttStatusProperties } from './elements.d.ts'

/** Templates are checked under the names that props have. */
type Camel<Name> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

type Props<Attributes> = { [Name in keyof Attributes as Camel<Name>]: Attributes[Name] }

type MqttStatusComponents = {
  [Tag in keyof MqttStatusAttributes]: DefineComponent<
    Props<MqttStatusAttributes[Tag]> & MqttStatusProperties[Tag]
  >
}

declare module 'vue' {
  interface GlobalComponents extends MqttStatusComponents {}
}

export {}
