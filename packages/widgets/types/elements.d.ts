/** What may be written on each element, for the templates of frameworks; types only. */
import type {
  MqttStatusBadge,
  MqttStatusCard,
  MqttStatusControl,
  MqttStatusEventMap,
  MqttStatusLive,
  MqttStatusProvider,
} from '@mqtt-status/widgets'

interface StatusAttributes {
  lang?: string
  theme?: 'auto' | 'light' | 'dark'
  density?: 'comfortable' | 'compact' | 'dense'
}

interface ConnectedAttributes extends StatusAttributes {
  'connection-id'?: string
  'site-id'?: string
  name?: string
  src?: string
  announce?: 'problems' | 'all' | 'off'
  time?: 'relative' | 'absolute' | 'both'
}

interface CommandingAttributes extends ConnectedAttributes {
  confirm?: 'none' | 'disconnect' | 'all'
}

/** Templates may write `false` instead of leaving the attribute out. */
type Flag = boolean | '' | 'true' | 'false'

type Level = 2 | 3 | 4 | 5 | 6

/** The attributes of each element. */
export interface MqttStatusAttributes {
  'mqtt-status-badge': ConnectedAttributes & {
    variant?: 'label' | 'icon' | 'dot' | 'text'
    size?: 's' | 'm' | 'l'
    href?: string
  }
  'mqtt-status-card': CommandingAttributes & {
    href?: string
    controls?: 'auto' | 'show' | 'none'
    'heading-level'?: Level | `${Level}`
    hide?: string
  }
  'mqtt-status-control': CommandingAttributes & {
    action?: 'auto' | 'connect' | 'disconnect' | 'reconnect'
    'label-hidden'?: Flag
  }
  'mqtt-status-live': StatusAttributes & {
    src?: string
    'hide-when-live'?: Flag
    announce?: 'problems' | 'all' | 'off'
  }
  'mqtt-status-provider': StatusAttributes & {
    src?: string
    'token-src'?: string
    token?: string
    transport?: 'auto' | 'ws' | 'sse' | 'poll'
    share?: 'page' | 'tabs'
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
