/** What may be written on each element, for the templates of frameworks; types only. */
import type {
  HeadingLevel,
  MqttStatusBadge,
  MqttStatusCard,
  MqttStatusControl,
  MqttStatusEventMap,
  MqttStatusLive,
  MqttStatusProvider,
  Word,
  WordAttribute,
} from '@mqtt-status/widgets'

/**
 * Attributes that take one of a few words.
 *
 * @internal
 */
type Words<Names extends WordAttribute> = { [Name in Names]?: Word<Name> }

/** @internal */
interface StatusAttributes extends Words<'theme' | 'density'> {
  lang?: string
}

/** @internal */
interface ConnectedAttributes extends StatusAttributes, Words<'announce' | 'time'> {
  'connection-id'?: string
  'site-id'?: string
  name?: string
  src?: string
}

/** @internal */
type CommandingAttributes = ConnectedAttributes & Words<'confirm'>

/**
 * Templates may write `false` instead of leaving the attribute out.
 *
 * @internal
 */
type Flag = boolean | '' | 'true' | 'false'

/** The attributes of each element. */
export interface MqttStatusAttributes {
  'mqtt-status-badge': ConnectedAttributes & Words<'variant' | 'size'> & { href?: string }
  'mqtt-status-card': CommandingAttributes &
    Words<'controls'> & {
      href?: string
      'heading-level'?: HeadingLevel | `${HeadingLevel}`
      hide?: string
    }
  'mqtt-status-control': CommandingAttributes & Words<'action'> & { 'label-hidden'?: Flag }
  'mqtt-status-live': StatusAttributes &
    Words<'announce'> & { src?: string; 'hide-when-live'?: Flag }
  'mqtt-status-provider': StatusAttributes &
    Words<'transport' | 'share'> & {
      src?: string
      'token-src'?: string
      token?: string
      'pause-hidden'?: number | `${number}`
    }
}

/** The properties that no attribute can hold. */
export interface MqttStatusProperties {
  'mqtt-status-badge': Partial<Pick<MqttStatusBadge, 'client' | 'strings'>>
  'mqtt-status-card': Partial<Pick<MqttStatusCard, 'client' | 'strings'>>
  'mqtt-status-control': Partial<Pick<MqttStatusControl, 'client' | 'strings'>>
  'mqtt-status-live': Partial<Pick<MqttStatusLive, 'client' | 'strings'>>
  'mqtt-status-provider': Partial<Pick<MqttStatusProvider, 'getToken'>>
}

/** `onmqtt-status-change` and its siblings. */
export type MqttStatusListeners = {
  [Type in keyof MqttStatusEventMap as `on${Type}`]?: (event: MqttStatusEventMap[Type]) => void
}
