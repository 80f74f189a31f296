/** The components of the elements for React, and the types of their tags in JSX: `import type {} from '@mqtt-status/widgets/react'`. */
import type {
  DetailedHTMLProps,
  ForwardRefExoticComponent,
  HTMLAttributes,
  RefAttributes,
} from 'react'
import type { MqttStatusEventMap } from '@mqtt-status/widgets'
import type {
  MqttStatusAttributes,
  MqttStatusListeners,
  MqttStatusProperties,
} from './elements.d.ts'

export type { MqttStatusAttributes, MqttStatusEventMap, MqttStatusProperties }

/**
 * `connectionId` for `connection-id`.
 *
 * @internal
 */
type Camel<Name> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

/** `onMqttStatusChange` and its siblings. */
export type MqttStatusHandlers = {
  [Type in keyof MqttStatusEventMap as `on${Capitalize<Camel<Type>>}`]?:
    ((event: MqttStatusEventMap[Type]) => void) | undefined
}

/** The props of an element's component: `MqttStatusProps<'mqtt-status-card'>`. */
export type MqttStatusProps<Tag extends keyof MqttStatusAttributes> = {
  [Name in keyof MqttStatusAttributes[Tag] as Camel<Name>]?:
    MqttStatusAttributes[Tag][Name] | undefined
} & {
  [Name in keyof MqttStatusProperties[Tag]]?: MqttStatusProperties[Tag][Name] | undefined
} & MqttStatusHandlers &
  HTMLAttributes<HTMLElementTagNameMap[Tag]>

/** A `ref` of a component holds its element. */
export type MqttStatusComponent<Tag extends keyof MqttStatusAttributes> = ForwardRefExoticComponent<
  MqttStatusProps<Tag> & RefAttributes<HTMLElementTagNameMap[Tag]>
>

export const MqttStatusBadge: MqttStatusComponent<'mqtt-status-badge'>
export const MqttStatusCard: MqttStatusComponent<'mqtt-status-card'>
export const MqttStatusControl: MqttStatusComponent<'mqtt-status-control'>
export const MqttStatusLive: MqttStatusComponent<'mqtt-status-live'>
export const MqttStatusProvider: MqttStatusComponent<'mqtt-status-provider'>

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
